import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isProgramOf } from '../../packages/holdfast/src/demo/clean-up.ts';
import { loopDevicesBelow, mountsBelow } from '../../packages/holdfast/src/demo/machine.ts';

/** Of the pools that nodes have of their own, beside that of the controller's driver, `pool`. */
export const nodePoolPrefix = 'pool-';

/** What the programs that worked below a folder have left on the machine: pods, mounts, loop devices, volumes. */
export function findLeft(folder: string): string[] {
  return [
    ...processesBelow(folder).map((pid) => `process ${pid}`),
    ...mountsBelow(folder).map((path) => `mount ${path}`),
    ...loopDevicesBelow(folder).map((device) => `loop device ${device}`),
    ...poolsIn(folder).flatMap(volumesIn),
  ];
}

/**
 * Takes it away, all but the folder, and synchronously: it runs as a last resort too.
 * @throws Error for what cannot be taken away; the folder must stay then, or data behind a mount would go with it
 */
export function takeAway(folder: string): void {
  for (const pid of processesBelow(folder)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  for (const path of mountsBelow(folder)) spawnSync('umount', ['--lazy', path]);
  for (const device of loopDevicesBelow(folder)) spawnSync('losetup', ['--detach', device]);
  const mounts = mountsBelow(folder);
  if (mounts.length > 0) throw new Error(`still mounted, so the folder is left alone: ${mounts.join(', ')}`);
}

/** Pods outlive their kubelet; their processes have a root, or arguments, below the folder. */
function processesBelow(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        if (readlinkSync(`/proc/${pid}/root`).startsWith(`${folder}/`)) return true;
        return isProgramOf(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'), folder);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** The one of the controller's driver, and those of nodes that have their own. */
function poolsIn(folder: string): string[] {
  try {
    const pools = readdirSync(folder).filter((name) => name === 'pool' || name.startsWith(nodePoolPrefix));
    return pools.map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** A record for each volume, and what the volumes are made of. Nodes' own records stay with the pool. */
function volumesIn(pool: string): string[] {
  return ['volumes', 'images', 'data', 'stages', 'snapshots', 'snapshot-images', 'snapshot-data'].flatMap((name) => {
    try {
      return readdirSync(join(pool, name), { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory() || name.endsWith('data'))
        .map((entry) => `file ${join(entry.parentPath, entry.name)}`);
    } catch {
      return [];
    }
  });
}
