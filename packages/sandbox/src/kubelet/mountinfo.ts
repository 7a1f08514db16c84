import { readMountInfo } from '@holdfast/mount';

/** Every mount point that this process sees. */
export async function readMountPoints(): Promise<ReadonlySet<string>> {
  return new Set((await readMountInfo()).map(({ mountPoint }) => mountPoint));
}
