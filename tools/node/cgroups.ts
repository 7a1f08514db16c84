import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const mountPoint = '/sys/fs/cgroup';
/** kubelet puts every pod below it. */
export const cgroupName = `holdfast-node-${process.env.HOLDFAST_NODE_CGROUP ?? process.pid}`;

export const isUnified = (): boolean => existsSync(join(mountPoint, 'cgroup.controllers'));

/** cgroup v1 has a tree for each controller, v2 one for all. */
function trees(): string[] {
  if (isUnified()) return [mountPoint];
  return readdirSync(mountPoint).map((name) => join(mountPoint, name));
}

export function makeCgroups(): void {
  process.env.HOLDFAST_NODE_CGROUP = String(process.pid);
  for (const tree of trees()) {
    const folder = join(tree, cgroupName);
    mkdirSync(folder, { recursive: true });
    // A new cpuset is empty, and nothing can run in it.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      const own = join(folder, file);
      if (!isUnified() && existsSync(own) && readFileSync(own, 'utf8').trim() === '') {
        writeFileSync(own, readFileSync(join(tree, file), 'utf8'));
      }
    }
  }
}

/** From the leaves up; a group whose last process has just ended is busy for a moment. */
export async function removeCgroups(): Promise<void> {
  for (const tree of trees()) await removeTree(join(tree, cgroupName));
}

async function removeTree(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  }
  for (let tries = 0; ; tries++) {
    try {
      rmdirSync(folder);
      return;
    } catch (error) {
      if (tries === 50) throw error;
      await sleep(100);
    }
  }
}
