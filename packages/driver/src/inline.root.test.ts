import { access, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemClock } from '@holdfast/core';
import { type DeepPartial, NodePublishVolumeRequest, type VolumeCapability } from '@holdfast/csi-spec';
import { findMount, isReadOnlyMount, listLoopDevices, mountsUnder, readMountInfo, runCommand } from '@holdfast/mount';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { clearUp } from './testing/clear-up.ts';
import { type DriverProcess, startDriver } from './testing/driver-process.ts';
import { leftoversOf } from './testing/leftovers.ts';
import { blockCapability, MiB, mountCapability, options, requestsFor } from './testing/requests.ts';
import { makeScratchFolder, type ServedBackend, serveBackend } from './testing/served-backend.ts';

// As kubelet makes it of pod and volume name.
const volumeId = `csi-${'ab12'.repeat(16)}`;

let dir: string;
beforeEach(async () => {
  dir = await makeScratchFolder();
});
afterEach(async () => {
  await clearUp(dir);
});

function inlineVolume(capability: VolumeCapability = mountCapability()) {
  const targetPath = `${dir}/pods/inline/mount`;
  return {
    targetPath,
    file: join(targetPath, 'bytes'),
    publish: (attributes: Record<string, string> = {}, more: DeepPartial<NodePublishVolumeRequest> = {}) =>
      NodePublishVolumeRequest.fromPartial({
        volumeId,
        targetPath,
        volumeCapability: capability,
        volumeContext: {
          'csi.storage.k8s.io/ephemeral': 'true',
          'csi.storage.k8s.io/pod.name': 'web-0',
          'csi.storage.k8s.io/serviceAccount.tokens': '{}',
          size: '32Mi',
          ...attributes,
        },
        ...more,
      }),
    unpublish: () => ({ volumeId, targetPath }),
  };
}

describe.each(['disk', 'dir'] as const)('an inline volume of %s', (backend) => {
  let driver: ServedBackend;
  beforeEach(async () => {
    driver = await serveBackend(backend, dir);
  });
  afterEach(() => driver.stop());

  test('is made when it is published and gone when it is unpublished, each as often as asked', async () => {
    const volume = inlineVolume();
    await mkdir(dirname(volume.targetPath), { recursive: true });
    await driver.node.nodePublishVolume(volume.publish(), options);
    await writeFile(volume.file, 'kept');
    await driver.node.nodePublishVolume(volume.publish(), options);
    expect(await readFile(volume.file, 'utf8')).toBe('kept');
    expect(mountsUnder(await readMountInfo(), volume.targetPath)).toHaveLength(1);
    const { usage } = await driver.node.nodeGetVolumeStats(
      { volumeId, volumePath: volume.targetPath, stagingTargetPath: '' },
      options,
    );
    expect(usage.map(({ unit }) => unit)).toContain(1);
    // It is no volume that a controller knows.
    expect((await driver.controller.listVolumes({ maxEntries: 0, startingToken: '' }, options)).entries).toEqual([]);
    for (let again = 0; again < 2; again++) await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
    await expect(stat(volume.targetPath)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await leftoversOf(dir)).toEqual([]);

    await driver.node.nodePublishVolume(volume.publish(), options);
    await expect(stat(volume.file)).rejects.toMatchObject({ code: 'ENOENT' });
    await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test('asked for differently, or in a second place, it is refused and stays', async () => {
    const volume = inlineVolume();
    await driver.node.nodePublishVolume(volume.publish(), options);
    const elsewhere = `${dir}/pods/other/mount`;
    for (const [request, code] of [
      [volume.publish({ size: '64Mi' }), 'AlreadyExists'],
      [volume.publish({}, { readonly: true }), 'AlreadyExists'],
      [volume.publish({}, { targetPath: elsewhere }), 'FailedPrecondition'],
    ] as const) {
      await expect(driver.node.nodePublishVolume(request, options)).rejects.toMatchObject({ code });
    }
    // Unpublishing where it is not takes nothing away from where it is.
    await driver.node.nodeUnpublishVolume({ volumeId, targetPath: elsewhere }, options);
    expect(await findMount(volume.targetPath)).toBeDefined();
    await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test('read-only it is mounted so', async () => {
    const volume = inlineVolume();
    await driver.node.nodePublishVolume(volume.publish({}, { readonly: true }), options);
    await driver.node.nodePublishVolume(volume.publish({}, { readonly: true }), options);
    const entry = await findMount(volume.targetPath);
    expect(entry !== undefined && isReadOnlyMount(entry)).toBe(true);
    await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test('whose pod went away while the driver was down is removed by its start; one of a living pod stays', async () => {
    const volume = inlineVolume();
    await driver.node.nodePublishVolume(volume.publish(), options);
    await runCommand('umount', [volume.targetPath]);
    await driver.stop();
    driver = await serveBackend(backend, dir);
    // As after a boot: no mount, yet kubelet still has the pod's folder, and publishes again.
    await driver.node.nodePublishVolume(volume.publish(), options);
    await writeFile(volume.file, 'kept');
    await runCommand('umount', [volume.targetPath]);
    await driver.stop();
    await rm(`${dir}/pods`, { recursive: true });
    driver = await serveBackend(backend, dir);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test.each([
    [{ size: 'much' }, 'InvalidArgument', /volume attribute "size": must be a quantity/],
    [{ size: '0' }, 'InvalidArgument', /volume attribute "size": must be a quantity/],
    [{ colour: 'red' }, 'InvalidArgument', /unknown volume attribute "colour".*pod's volumeAttributes/],
    [{ size: '8Ei' }, 'InvalidArgument', /size/],
    [{ size: '4Ei' }, 'OutOfRange', /largest volume here/],
  ])('attributes %j are refused as %s, and leave nothing', async (attributes, code, message) => {
    const volume = inlineVolume();
    await expect(driver.node.nodePublishVolume(volume.publish(attributes), options)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test('does not take the place of a volume that was created', async () => {
    const volume = inlineVolume();
    const created = requestsFor({ name: volumeId, capability: mountCapability(), dir, sizeBytes: 32n * MiB });
    await driver.controller.createVolume(created.create(), options);
    await expect(driver.node.nodePublishVolume(volume.publish(), options)).rejects.toMatchObject({
      code: 'AlreadyExists',
    });
    await driver.controller.deleteVolume(created.remove(), options);
    expect(await leftoversOf(dir)).toEqual([]);
  });
});

describe('an inline disk', () => {
  let driver: ServedBackend;
  beforeEach(async () => {
    driver = await serveBackend('disk', dir);
  });
  afterEach(() => driver.stop());

  test('has the file system and the size that were asked for', async () => {
    const volume = inlineVolume(mountCapability('xfs'));
    await driver.node.nodePublishVolume(volume.publish({ size: '320Mi' }), options);
    expect((await findMount(volume.targetPath))?.fsType).toBe('xfs');
    const [loop] = (await listLoopDevices()).filter((one) => one.backingFile.startsWith(dir));
    expect((await stat(loop?.backingFile ?? '')).size).toBe(320 * 1024 * 1024);
    await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test('keeps its space from others', async () => {
    const available = async () => (await driver.controller.getCapacity(noCapacityFilter, options)).availableCapacity;
    const quarter = (await available()) / 4n;
    const volume = inlineVolume();
    await driver.node.nodePublishVolume(volume.publish({ size: String(quarter) }), options);
    // Others on this machine write meanwhile; nobody writes as much.
    expect(await available()).toBeLessThan((quarter * 7n) / 2n);
    await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
  });

  test('on a node whose controller is another process takes no space that the controller has promised meanwhile', async () => {
    await driver.stop();
    const [controllerDir, pool] = [join(dir, 'controller'), join(dir, 'pool')];
    await mkdir(controllerDir);
    driver = await serveBackend('disk', dir, { role: 'node' });
    const other = await serveBackend('disk', controllerDir, { role: 'controller', pool });
    try {
      const created = requestsFor({ name: 'pvc-1', capability: mountCapability(), dir, sizeBytes: 32n * MiB });
      await other.controller.createVolume(created.create(), options);
      const volume = inlineVolume();
      // Its node has counted once, with the volume as small as it was.
      await driver.node.nodePublishVolume(volume.publish(), options);
      await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
      const tenth = (await other.controller.getCapacity(noCapacityFilter, options)).availableCapacity / 10n;
      await other.controller.controllerExpandVolume(created.expand(tenth * 6n), options);
      await expect(
        driver.node.nodePublishVolume(volume.publish({ size: String(tenth * 6n) }), options),
      ).rejects.toMatchObject({ code: 'ResourceExhausted' });
      await other.controller.deleteVolume(created.remove(), options);
    } finally {
      await other.stop();
    }
  });

  test('is not served raw', async () => {
    const volume = inlineVolume(blockCapability());
    await expect(driver.node.nodePublishVolume(volume.publish(), options)).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
    expect(await leftoversOf(dir)).toEqual([]);
  });
});

const noCapacityFilter = { volumeCapabilities: [], parameters: {}, accessibleTopology: undefined };

describe.each(['disk', 'dir'] as const)('kill -9 during the life of an inline volume of %s', (backend) => {
  let driver: DriverProcess;
  afterEach(() => driver.stop());

  test.each([20, 200])(
    '%i ms into publish, and into unpublish: the next try succeeds',
    { timeout: 240_000 },
    async (delayMs) => {
      driver = await startDriver(dir, [`--backend=${backend}`]);
      const volume = inlineVolume();
      await mkdir(dirname(volume.targetPath), { recursive: true });
      const steps = [
        () => driver.node.nodePublishVolume(volume.publish(), options),
        () => driver.node.nodeUnpublishVolume(volume.unpublish(), options),
      ];
      for (const step of steps) {
        const interrupted = step().catch(() => undefined);
        await systemClock.sleep(delayMs);
        await driver.kill();
        await interrupted;
        driver = await startDriver(dir, [`--backend=${backend}`]);
        // A child of the killed driver, such as mkfs, may still be at work: kubelet tries again, and so does this.
        await vi.waitFor(step, { timeout: 60_000, interval: 100 });
        if (step === steps[0]) await access(volume.targetPath).then(() => writeFile(volume.file, 'kept'));
      }
      expect(await leftoversOf(dir)).toEqual([]);
    },
  );
});
