import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorMessage } from '@holdfast/core';
import { loopDevicesBelow, mountsBelow } from './machine.ts';
import type { Places } from './programs.ts';
import type { Report } from './report.ts';
import type { Supervisor } from './supervisor.ts';

/** The process is in the name, so that a folder is never seen without its owner. mkdtemp adds the rest. */
export function workFolderPrefix(pid: number): string {
  return `holdfast-demo-${pid}-`;
}

/**
 * Ends every program and pod, and takes away by force what they left: for an ending in the middle as well as a good one.
 * @returns whether all of it is gone; what is not has been reported.
 */
export async function cleanUp(places: Places, supervisor: Supervisor, report: Report): Promise<boolean> {
  await supervisor.stopAll(5_000);
  return removeDemo(places.work, report);
}

/** The folders of demos that were killed before they could clean up. */
export function sweepStale(report: Report, parent = tmpdir()): void {
  for (const name of readdirSync(parent)) {
    const owner = /^holdfast-demo-(\d+)-/.exec(name)?.[1];
    const work = join(parent, name);
    if (owner === undefined || !isMine(work) || isAlive(Number(owner))) continue;
    report.note('an earlier demo was cut off; cleaning up after it');
    removeDemo(work, report);
  }
}

/** Another user's demo is that user's to sweep; one that has just ended is gone. */
function isMine(work: string): boolean {
  return statSync(work, { throwIfNoEntry: false })?.uid === process.getuid?.();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function removeDemo(work: string, report: Report): boolean {
  try {
    endProcesses(work);
    return removeWork(work, report);
  } catch (error) {
    report.failure(`${work} could not be removed: ${errorMessage(error)}`);
    return false;
  }
}

function endProcesses(work: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    if (!belongsTo(pid, work)) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

function belongsTo(pid: string, work: string): boolean {
  try {
    if (readlinkSync(`/proc/${pid}/root`).startsWith(`${work}/`)) return true;
    return isProgramOf(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'), work);
  } catch {
    return false;
  }
}

/**
 * Whether a command line is that of a program, or of a pod's first processes, of the demo in `work`. Naming the folder is not
 * enough: so does the user's own `kubectl --kubeconfig` or `tail -f`.
 */
export function isProgramOf(command: readonly string[], work: string): boolean {
  const isProgram = command[1]?.endsWith('.mjs') === true;
  const isPod = command.includes('holdfast-shim') || command.includes('holdfast-init');
  return (isProgram || isPod) && command.some((argument) => argument.includes(`${work}/`));
}

function removeWork(work: string, report: Report): boolean {
  for (const path of mountsBelow(work)) spawnSync('umount', ['--lazy', path]);
  for (const device of loopDevicesBelow(work)) spawnSync('losetup', ['--detach', device]);
  const mounts = mountsBelow(work);
  if (mounts.length > 0) {
    // Removing the folder would reach through the mount into somebody's data.
    report.failure(`still mounted, so left alone: ${mounts.join(', ')}`);
    return false;
  }
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
  return true;
}
