import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { errorMessage } from '@holdfast/core';
import type { Act, Call } from './act.ts';
import { inventoryOf } from './inventory.ts';
import { makeKubeletFolders, mountPool, takeDown } from './place.ts';
import { type Subject, startSubject } from './subject.ts';

export interface SweepOptions {
  readonly file: string;
  readonly compileCache: string;
  readonly actIn: (dir: string) => Act;
  readonly signal: AbortSignal;
}

export interface SweepReport {
  readonly points: number;
  readonly violations: readonly string[];
}

/** A command that outlives the driver may hold what the next try needs. Callers try again, and so does this. */
const PATIENCE_MS = 20_000;
const RETRY_EVERY_MS = 50;
/** Between the end of a connection and of its process. */
const GOODBYE_MS = 5_000;

/**
 * Plays the round with a death at the first point of each call, then at the second, until nobody dies any more. After each death the
 * driver starts again and the call is made again; after each round everything is as before it.
 */
export async function sweepAct({ file, compileCache, actIn, signal }: SweepOptions): Promise<SweepReport> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-points-')));
  const act = actIn(dir);
  const violations: string[] = [];
  let points = 0;
  let subject: Subject | undefined;
  const start = (): Promise<Subject> => startSubject({ file, compileCache, dir, backend: act.backend });
  try {
    if (act.poolFsType !== undefined) await mountPool(dir, act.poolFsType);
    makeKubeletFolders(dir, act.volumes);
    subject = await start();
    const empty = await inventoryOf(dir);
    for (const call of act.before) await plainly(subject, call);
    const base = await inventoryOf(dir);
    for (let number = 1; !signal.aborted && violations.length === 0; number++) {
      const deaths: string[] = [];
      for (const call of act.round(number)) {
        const at = await interrupt(subject, call, call.isPlain === true ? 0 : number);
        if (at === undefined) continue;
        points += 1;
        const death = `${act.name}: ${call.name}, ${at}`;
        deaths.push(death);
        subject = await start();
        const wrong = await tryAgain(subject, call, at);
        if (wrong !== undefined) violations.push(`${death}: ${wrong}`);
      }
      const left = difference(await inventoryOf(dir), base);
      if (left.length > 0) violations.push([`after the round of`, ...deaths, ...left].join('\n    '));
      if (deaths.length === 0) break;
    }
    await subject.arm(0);
    if (violations.length === 0) {
      for (const call of act.after) await plainly(subject, call);
      const left = difference(await inventoryOf(dir), empty);
      if (left.length > 0) violations.push([`${act.name}, at its end:`, ...left].join('\n    '));
    }
  } catch (error) {
    violations.push(`${act.name}: ${errorMessage(error)}\n${subject?.log() ?? ''}`);
  } finally {
    await subject?.stop();
    await takeDown(dir);
  }
  return { points, violations };
}

/** @returns where the driver died, or undefined when the call succeeded without */
async function interrupt(subject: Subject, call: Call, point: number): Promise<string | undefined> {
  await subject.arm(point);
  try {
    await call.run(subject);
  } catch (error) {
    const at = await Promise.race([subject.gone, pause(GOODBYE_MS, undefined, { ref: false })]);
    if (at === undefined) throw new Error(`${call.name}: ${errorMessage(error)}`, { cause: error });
    return at;
  }
  await call.check?.();
  return undefined;
}

async function plainly(subject: Subject, call: Call): Promise<void> {
  try {
    await call.run(subject);
    await call.check?.();
  } catch (error) {
    throw new Error(`${call.name}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Where no command goes on, the second try is the last. @returns what went wrong */
async function tryAgain(subject: Subject, call: Call, at: string): Promise<string | undefined> {
  const deadline = performance.now() + (at.endsWith('which goes on') ? PATIENCE_MS : 0);
  for (;;) {
    try {
      await call.run(subject);
      await call.check?.();
      return undefined;
    } catch (error) {
      if (performance.now() > deadline) return `the second try failed: ${errorMessage(error)}`;
      await pause(RETRY_EVERY_MS);
    }
  }
}

function difference(found: readonly string[], wanted: readonly string[]): string[] {
  return [
    ...found.filter((one) => !wanted.includes(one)).map((one) => `left: ${one}`),
    ...wanted.filter((one) => !found.includes(one)).map((one) => `lost: ${one}`),
  ];
}
