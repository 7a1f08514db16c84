import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detachLoopDevice, listLoopDevices } from '../loop-devices.ts';
import { mountsUnder, readMountInfo } from '../mount-info.ts';
import { unmountAll } from '../unmount.ts';

export interface LoopFixture {
  readonly dir: string;
  image(name: string, sizeBytes: number): Promise<string>;
  folder(name: string): Promise<string>;
  /** Unmounts and detaches what the test left, and returns what that was. */
  cleanUp(): Promise<{ mounts: string[]; loops: string[] }>;
}

/** A scratch folder for tests that mount and attach. */
export async function createLoopFixture(): Promise<LoopFixture> {
  const dir = await mkdtemp(join(tmpdir(), 'hf-mount-'));
  return {
    dir,
    image: async (name, sizeBytes) => {
      const file = join(dir, name);
      const handle = await open(file, 'w');
      await handle.truncate(sizeBytes);
      await handle.close();
      return file;
    },
    folder: async (name) => {
      const folder = join(dir, name);
      await mkdir(folder);
      return folder;
    },
    cleanUp: async () => {
      const mounts = mountsUnder(await readMountInfo(), dir).map((entry) => entry.mountPoint);
      for (const mountPoint of mounts.toReversed()) await unmountAll(mountPoint);
      const loops = (await listLoopDevices()).filter((loop) => loop.backingFile.startsWith(dir));
      for (const loop of loops) await detachLoopDevice(loop.device);
      await rm(dir, { recursive: true, force: true });
      return { mounts, loops: loops.map((loop) => loop.device) };
    },
  };
}
