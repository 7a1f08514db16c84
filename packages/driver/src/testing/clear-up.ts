import { listLoopDevices, mountsUnder, readMountInfo, runCommand, thawFileSystem } from '@holdfast/mount';
import { vi } from 'vitest';
import { removeScratchFolder } from './served-backend.ts';

/** Takes away what a test of mounts left below its folder, and the folder. A pool is held for some seconds by the controller's turn at it. */
export async function clearUp(dir: string): Promise<void> {
  for (const { mountPoint } of mountsUnder(await readMountInfo(), dir).toReversed()) {
    await thawFileSystem(mountPoint).catch(() => undefined);
    await vi.waitFor(() => runCommand('umount', [mountPoint]), { timeout: 60_000, interval: 100 });
  }
  for (const loop of await listLoopDevices())
    if (loop.backingFile.includes(dir)) await runCommand('losetup', ['--detach', loop.device]);
  await removeScratchFolder(dir);
}
