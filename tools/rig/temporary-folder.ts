import { mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asLastResort } from './last-resort.ts';
import { takeAway } from './left-behind.ts';

export interface TemporaryFolder {
  readonly path: string;
  remove(): void;
}

let hasSwept = false;

/** The process is in the name, so that a folder whose process was killed is known as such, and swept by the next one. */
export function makeTemporaryFolder(purpose: string): TemporaryFolder {
  // The real path: mountinfo and losetup know no other.
  const parent = realpathSync(tmpdir());
  if (!hasSwept) sweep(parent);
  hasSwept = true;
  const path = mkdtempSync(join(parent, `holdfast-rig-${process.pid}-${purpose}-`));
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  const forget = asLastResort(remove);
  return {
    path,
    remove: () => {
      remove();
      forget();
    },
  };
}

/** What processes left that were killed before they could clean up: pods and loop devices outlive them. */
export function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    const owner = ownerOf(name);
    const path = join(parent, name);
    if (owner === undefined || isAlive(owner) || !isMine(path)) continue;
    process.stderr.write(`rig: an earlier run was cut off; cleaning up after it in ${path}\n`);
    takeAway(path);
    rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  }
}

export function ownerOf(name: string): number | undefined {
  const pid = /^holdfast-rig-(\d+)-/.exec(name)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Another user's run is that user's to sweep; a folder that is gone by now is nobody's. */
function isMine(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.();
}
