import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loopDevicesBelow, mountsBelow } from './machine.ts';
import type { Places } from './programs.ts';
import type { Report } from './report.ts';
import type { Supervisor } from './supervisor.ts';

/** Ends every program and pod, and takes away by force what they left: for an ending in the middle as well as a good one. */
export async function cleanUp(places: Places, supervisor: Supervisor, report: Report): Promise<void> {
  await supervisor.stopAll(5_000);
  endPods(places.work);
  removeWork(places.work, report);
}

/** The folders of demos that were killed before they could clean up. */
export async function sweepStale(report: Report): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith('holdfast-demo-'))) {
    const work = join(tmpdir(), name);
    if (statSync(work).uid !== process.getuid?.() || isOwnerAlive(work)) continue;
    report.note('an earlier demo was cut off; cleaning up after it');
    endPods(work);
    removeWork(work, report);
  }
}

function isOwnerAlive(work: string): boolean {
  try {
    process.kill(Number(readFileSync(join(work, 'pid'), 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
}

/** Programs and pods of this demo are known by what they run: every one has the demo's folder in its command or environment. */
function endPods(work: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    if (belongsTo(pid, work)) process.kill(Number(pid), 'SIGKILL');
  }
}

function belongsTo(pid: string, work: string): boolean {
  try {
    if (readlinkSync(`/proc/${pid}/root`).startsWith(`${work}/`)) return true;
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${work}/`);
  } catch {
    return false;
  }
}

function removeWork(work: string, report: Report): void {
  for (const path of mountsBelow(work)) spawnSync('umount', ['--lazy', path]);
  for (const device of loopDevicesBelow(work)) spawnSync('losetup', ['--detach', device]);
  const mounts = mountsBelow(work);
  if (mounts.length > 0) {
    // Removing the folder would reach through the mount into somebody's data.
    report.failure(`still mounted, so left alone: ${mounts.join(', ')}`);
    return;
  }
  if (existsSync(work)) rmSync(work, { recursive: true, force: true });
}
