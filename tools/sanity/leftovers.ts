import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  detachLoopDevice,
  listLoopDevices,
  mountsUnder,
  readMountInfo,
  unmountAll,
} from '../../packages/mount/src/index.ts';

/** Folders of a pool in which every file belongs to a volume. */
const volumeFolders = [
  'volumes',
  'images',
  'stages',
  'data',
  'snapshots',
  'snapshot-images',
  'snapshot-data',
  'groups',
];

/** Takes down all that a driver left behind below the folder, and the folder. @returns what that was */
export async function removeLeftovers(folder: string): Promise<string[]> {
  const left: string[] = [];
  for (const { mountPoint } of mountsUnder(await readMountInfo(), folder).toReversed()) {
    left.push(`mount ${mountPoint}`);
    await unmountAll(mountPoint);
  }
  for (const { device, backingFile } of await listLoopDevices()) {
    if (!backingFile.startsWith(`${folder}/`)) continue;
    left.push(`loop device ${device}`);
    await detachLoopDevice(device);
  }
  for (const name of volumeFolders) left.push(...entriesOf(join(folder, 'pool', name)));
  // The sample keeps each volume in a folder of the pool itself.
  for (const entry of entriesOf(join(folder, 'pool')))
    if (existsSync(join(entry.slice('file '.length), 'volume.json'))) left.push(entry);
  for (const name of ['target', 'staging']) left.push(...entriesOf(join(folder, name)));
  // Only here: nothing is mounted below the folder any more.
  rmSync(folder, { recursive: true, force: true });
  return left;
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => `file ${join(folder, name)}`);
  } catch {
    return [];
  }
}
