import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@holdfast/core';
import { listLoopDevices, mountsUnder, readMountInfo, runCommand } from '@holdfast/mount';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type DriverProcess, startDriver } from './testing/driver-process.ts';
import { leftoversOf } from './testing/leftovers.ts';
import {
  fromSnapshot,
  fromVolume,
  MiB,
  mountCapability,
  options,
  requestsFor,
  snapshotRequest,
} from './testing/requests.ts';
import { makeScratchFolder, removeScratchFolder } from './testing/served-backend.ts';

let dir: string;
let driver: DriverProcess;
beforeEach(async () => {
  dir = await makeScratchFolder();
});
afterEach(async () => {
  await driver.stop();
  for (const entry of mountsUnder(await readMountInfo(), dir).toReversed())
    await runCommand('umount', [entry.mountPoint]);
  for (const loop of await listLoopDevices()) {
    if (loop.backingFile.startsWith(dir)) await runCommand('losetup', ['--detach', loop.device]);
  }
  await removeScratchFolder(dir);
});

interface Step {
  readonly name: string;
  run(): Promise<unknown>;
  check?(): Promise<void>;
}

/** A volume's life, each step as its caller would send it. */
function lifeOf(backend: 'disk' | 'dir'): Step[] {
  const volume = requestsFor({ name: 'pvc-1', capability: mountCapability(), dir, sizeBytes: 32n * MiB });
  const file = join(volume.targetPath, 'bytes');
  const onlyDisk = (steps: Step[]): Step[] => (backend === 'disk' ? steps : []);
  return [
    { name: 'create', run: () => driver.controller.createVolume(volume.create(), options) },
    ...onlyDisk([
      { name: 'attach', run: () => driver.controller.controllerPublishVolume(volume.attach(), options) },
      { name: 'stage', run: () => driver.node.nodeStageVolume(volume.stage(), options) },
    ]),
    {
      name: 'publish',
      run: () => driver.node.nodePublishVolume(volume.publish(), options),
      check: () => writeFile(file, 'kept'),
    },
    {
      name: 'expand',
      run: () => driver.controller.controllerExpandVolume(volume.expand(64n * MiB), options),
      check: async () => expect(await readFile(file, 'utf8')).toBe('kept'),
    },
    { name: 'unpublish', run: () => driver.node.nodeUnpublishVolume(volume.unpublish(), options) },
    ...onlyDisk([
      { name: 'unstage', run: () => driver.node.nodeUnstageVolume(volume.unstage(), options) },
      { name: 'stage again', run: () => driver.node.nodeStageVolume(volume.stage(), options) },
    ]),
    {
      name: 'publish again',
      run: () => driver.node.nodePublishVolume(volume.publish(), options),
      check: async () => expect(await readFile(file, 'utf8')).toBe('kept'),
    },
    { name: 'unpublish again', run: () => driver.node.nodeUnpublishVolume(volume.unpublish(), options) },
    ...onlyDisk([
      { name: 'unstage again', run: () => driver.node.nodeUnstageVolume(volume.unstage(), options) },
      { name: 'detach', run: () => driver.controller.controllerUnpublishVolume(volume.detach(), options) },
    ]),
    { name: 'delete', run: () => driver.controller.deleteVolume(volume.remove(), options) },
  ];
}

type Requests = ReturnType<typeof requestsFor>;

async function bringUp(backend: 'disk' | 'dir', volume: Requests): Promise<string> {
  if (backend === 'disk') {
    await driver.controller.controllerPublishVolume(volume.attach(), options);
    await driver.node.nodeStageVolume(volume.stage(), options);
  }
  await driver.node.nodePublishVolume(volume.publish(), options);
  return join(volume.targetPath, 'bytes');
}

async function takeDown(backend: 'disk' | 'dir', volume: Requests): Promise<void> {
  await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
  if (backend === 'disk') {
    await driver.node.nodeUnstageVolume(volume.unstage(), options);
    await driver.controller.controllerUnpublishVolume(volume.detach(), options);
  }
  await driver.controller.deleteVolume(volume.remove(), options);
}

/** Killed so many milliseconds into the step, the driver starts again, and the step is asked for again. */
async function killWithin(step: Step, delayMs: number, backend: 'disk' | 'dir'): Promise<void> {
  const interrupted = step.run().catch(() => undefined);
  await systemClock.sleep(delayMs);
  await driver.kill();
  await interrupted;
  driver = await startDriver(dir, [`--backend=${backend}`]);
  // A child of the killed driver, such as mkfs, may still be at work: callers try again, and so does this.
  await vi.waitFor(() => step.run(), { timeout: 20_000, interval: 100 });
  await step.check?.();
}

describe('the driver, killed', () => {
  // The moments fall before, within and after each operation; which of them is which differs from machine to machine.
  test.each([
    ['disk', 0],
    ['disk', 5],
    ['disk', 25],
    ['dir', 5],
  ] as const)(
    '%s, %i ms into every step of a volume’s life: the life ends whole, without a byte or a trace lost',
    { timeout: 180_000 },
    async (backend, delayMs) => {
      driver = await startDriver(dir, [`--backend=${backend}`]);
      for (const step of lifeOf(backend)) {
        await killWithin(step, delayMs, backend);
      }
      expect(await leftoversOf(dir)).toEqual([]);
    },
  );
});

describe('the driver, killed while it copies', () => {
  test.each([
    ['disk', 0],
    ['disk', 10],
    ['disk', 40],
    ['dir', 10],
  ] as const)(
    '%s, %i ms into snapshot, restore, clone and delete: the source can be written, the copies are whole',
    { timeout: 180_000 },
    async (backend, delayMs) => {
      driver = await startDriver(dir, [`--backend=${backend}`]);
      const volume = (name: string) => requestsFor({ name, capability: mountCapability(), dir, sizeBytes: 64n * MiB });
      const [source, restored, clone] = [volume('pvc-1'), volume('pvc-2'), volume('pvc-3')];
      await driver.controller.createVolume(source.create(), options);
      const file = await bringUp(backend, source);
      await writeFile(file, 'first');
      const steps: Step[] = [
        {
          name: 'snapshot',
          run: () => driver.controller.createSnapshot(snapshotRequest('snap-1', 'pvc-1'), options),
          // Waits for ever where the file system was left frozen.
          check: () => writeFile(file, 'later'),
        },
        {
          name: 'restore',
          run: () => driver.controller.createVolume(restored.create(fromSnapshot('snap-1')), options),
        },
        {
          name: 'clone',
          run: () => driver.controller.createVolume(clone.create(fromVolume('pvc-1')), options),
          check: () => writeFile(file, 'last'),
        },
        {
          name: 'delete the snapshot',
          run: () => driver.controller.deleteSnapshot({ snapshotId: 'snap-1', secrets: {} }, options),
        },
      ];
      for (const step of steps) await killWithin(step, delayMs, backend);
      expect(await readFile(await bringUp(backend, restored), 'utf8')).toBe('first');
      expect(await readFile(await bringUp(backend, clone), 'utf8')).toBe('later');
      for (const one of [source, restored, clone]) await takeDown(backend, one);
      expect(await leftoversOf(dir)).toEqual([]);
    },
  );
});

test('a volume in use is served on by the next driver, and one made half by the last is not', {
  timeout: 180_000,
}, async () => {
  driver = await startDriver(dir, ['--backend=disk']);
  const volume = requestsFor({ name: 'pvc-1', capability: mountCapability(), dir, sizeBytes: 32n * MiB });
  await driver.controller.createVolume(volume.create(), options);
  await driver.controller.controllerPublishVolume(volume.attach(), options);
  await driver.node.nodeStageVolume(volume.stage(), options);
  await driver.node.nodePublishVolume(volume.publish(), options);
  await driver.kill();
  await writeFile(join(volume.targetPath, 'written'), 'while no driver ran');
  driver = await startDriver(dir, ['--backend=disk']);
  await driver.node.nodePublishVolume(volume.publish(), options);
  expect(mountsUnder(await readMountInfo(), dir)).toHaveLength(2);
  expect(await readFile(join(volume.targetPath, 'written'), 'utf8')).toBe('while no driver ran');
  await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
  await driver.node.nodeUnstageVolume(volume.unstage(), options);
  await driver.controller.controllerUnpublishVolume(volume.detach(), options);
  await driver.controller.deleteVolume(volume.remove(), options);
  expect(await leftoversOf(dir)).toEqual([]);
});
