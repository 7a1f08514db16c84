import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../files.ts';
import { readMountPoints } from '../mountinfo.ts';
import type { KubeletPaths } from '../paths.ts';

export async function makeEmptyDir(paths: KubeletPaths, podUid: string, volumeName: string): Promise<void> {
  await mkdir(paths.emptyDir(podUid, volumeName), { recursive: true, mode: 0o777 });
}

/**
 * Removes what kubelet made for a pod. Only emptyDir volumes, and those it wrote itself, go with their content; the other folders go when they are
 * empty, and nothing goes while anything below is mounted: it would be somebody's data.
 */
export async function removePodFolders(paths: KubeletPaths, podUid: string): Promise<void> {
  const dir = paths.podDir(podUid);
  const mounted = [...(await readMountPoints())].filter((point) => point.startsWith(`${dir}/`));
  if (mounted.length > 0) {
    throw new Error(`the folder of pod ${podUid} stays: still mounted below it are ${mounted.join(', ')}`);
  }
  for (const plugin of ['empty-dir', 'projected', 'configmap', 'secret', 'downward-api']) {
    await rm(join(dir, 'volumes', `kubernetes.io~${plugin}`), { recursive: true, force: true });
  }
  await removeEmptyTree(join(dir, 'volumes'));
  await removeEmptyTree(join(dir, 'volumeDevices'));
}

export async function removePodDir(paths: KubeletPaths, podUid: string): Promise<void> {
  try {
    await rmdir(paths.podDir(podUid));
  } catch (error) {
    if (!isMissing(error)) {
      throw error;
    }
  }
}

async function removeEmptyTree(dir: string): Promise<void> {
  try {
    for (const entry of await readdir(dir, { withFileTypes: true })) {
      if (entry.isDirectory()) {
        await removeEmptyTree(join(dir, entry.name));
      }
    }
    await rmdir(dir);
  } catch (error) {
    if (!isMissing(error)) {
      throw error;
    }
  }
}
