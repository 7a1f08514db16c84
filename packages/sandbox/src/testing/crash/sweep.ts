import { errorMessage } from '@holdfast/core';
import type { RunningProgram } from '@holdfast/sidecar/testing';
import { type CrashPoint, crashPhases, describePoint } from './call-gate.ts';
import { type CrashRig, type CrashSubject, startCrashRig } from './crash-rig.ts';

/** A life of objects during which a program is killed, once at each of its calls. */
export interface CrashScenario {
  readonly name: string;
  readonly subject: CrashSubject;
  /** What there is before the program starts. */
  prepare(rig: CrashRig): Promise<void>;
  /** The whole life, from the first object to the last trace of it. It waits as users wait: by looking. */
  live(rig: CrashRig, signal: AbortSignal): Promise<void>;
  /** What may happen while the program is down; each is a sweep of its own. `kept`, where nothing happens, always is. */
  readonly meanwhile: Readonly<Record<string, (rig: CrashRig) => Promise<void>>>;
  /** Waits until nothing is left to do for anybody, after a life that was cut short. */
  rest(rig: CrashRig, signal: AbortSignal): Promise<void>;
}

export interface Violation {
  readonly scenario: string;
  readonly point: string;
  readonly what: string;
}

export interface SweepReport {
  readonly points: number;
  readonly violations: readonly Violation[];
}

export interface SweepOptions {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** How many points are tried at once. */
  readonly parallel: number;
  /** Longest that a life, a restart or a rest may take. */
  readonly patienceMs: number;
  /** For looking into one point: only those whose description contains it. */
  readonly only?: string;
}

const KEPT = 'kept';
const TRIES = 3;

/** Kills the program at every call of a whole life, in every phase of the call, with everything that may happen meanwhile. */
export async function sweepCrashPoints(scenario: CrashScenario, options: SweepOptions): Promise<SweepReport> {
  const calls = await undisturbed(scenario, options);
  const points = calls.flatMap((call) => crashPhases.map((phase): CrashPoint => ({ call, phase })));
  const runs = [KEPT, ...Object.keys(scenario.meanwhile)]
    .flatMap((meanwhile) => points.map((point) => ({ point, meanwhile })))
    .filter(({ point, meanwhile }) => `${describePoint(point)}, ${meanwhile}`.includes(options.only ?? ''));
  options.say(`${scenario.name}: ${calls.length} calls, ${runs.length} points`);

  const violations: Violation[] = [];
  let done = 0;
  const queue = runs[Symbol.iterator]();
  async function work(): Promise<void> {
    for (const { point, meanwhile } of queue) {
      if (options.signal.aborted) return;
      const where = `${describePoint(point)}, ${meanwhile}`;
      for (const what of await tryPoint(scenario, point, meanwhile, options)) {
        violations.push({ scenario: scenario.name, point: where, what });
        options.say(`${scenario.name}: ${where}: ${what}`);
      }
      done += 1;
      if (done % 50 === 0) options.say(`${scenario.name}: ${done} of ${runs.length}`);
    }
  }
  await Promise.all(Array.from({ length: options.parallel }, work));
  return { points: done, violations };
}

/** The calls of a life in which nothing goes wrong, to the last one of a clean end. */
async function undisturbed(scenario: CrashScenario, options: SweepOptions): Promise<string[]> {
  const rig = await startCrashRig(scenario.subject);
  try {
    await scenario.prepare(rig);
    const program = rig.start();
    const signal = patience(options);
    await scenario.live(rig, signal);
    await scenario.rest(rig, signal);
    await end(program);
    await rig.history.checkRest();
    const [violation] = rig.history.violations;
    if (violation !== undefined) throw new Error(`without any crash: ${violation}`);
    return [...rig.gate.calls];
  } finally {
    await rig.stop();
  }
}

/** @returns what did not hold. A point that is not reached is tried again: what runs side by side may come in another number. */
async function tryPoint(
  scenario: CrashScenario,
  point: CrashPoint,
  meanwhile: string,
  options: SweepOptions,
): Promise<readonly string[]> {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const found = await runPoint(scenario, point, meanwhile, options);
    if (found !== 'unreached') return found;
  }
  return [`the call did not come, in ${TRIES} lives`];
}

async function runPoint(
  scenario: CrashScenario,
  point: CrashPoint,
  meanwhile: string,
  options: SweepOptions,
): Promise<readonly string[] | 'unreached'> {
  const rig = await startCrashRig(scenario.subject);
  const { gate, history } = rig;
  const problems: string[] = [];
  let phase = 'at the start';
  try {
    await scenario.prepare(rig);
    const first = rig.start();
    gate.arm(point, () => first.kill('SIGKILL'));
    const cutShort = new AbortController();
    const living = liveAndEnd(scenario, rig, first, AbortSignal.any([cutShort.signal, patience(options)]));
    // Its failure is of interest where it is waited for.
    living.catch(() => {});
    phase = 'in the life that was to be cut';
    await Promise.race([gate.killed, living]);
    if (!gate.isReached) return 'unreached';
    await gate.killed;
    await first.exitCode;

    const act = scenario.meanwhile[meanwhile];
    if (act) {
      cutShort.abort();
      await act(rig);
    }
    gate.reopen();
    const second = rig.start();
    phase = 'after the restart';
    if (!act) await living;
    // The second one serves, and what it took over is done before its end.
    await scenario.live(rig, patience(options));
    await scenario.rest(rig, patience(options));
    phase = 'at the end';
    await end(second);
    await history.checkRest();
  } catch (error) {
    problems.push(`I11: ${phase}: ${errorMessage(error)}`);
  } finally {
    await rig.stop();
  }
  return [...history.violations, ...problems];
}

/** A life, and a clean end of the program, unless it was killed before. */
async function liveAndEnd(
  scenario: CrashScenario,
  rig: CrashRig,
  program: RunningProgram,
  signal: AbortSignal,
): Promise<void> {
  await scenario.live(rig, signal);
  await scenario.rest(rig, signal);
  if (rig.gate.isReached) return;
  try {
    await end(program);
  } catch (error) {
    // Killed while it ended.
    if (!rig.gate.isReached) throw error;
  }
}

function patience({ signal, patienceMs }: SweepOptions): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
}

async function end(program: RunningProgram): Promise<void> {
  program.kill('SIGTERM');
  const code = await program.exitCode;
  if (code !== 0) throw new Error(`the program ended with ${code}: ${program.stderr().slice(-500)}`);
}
