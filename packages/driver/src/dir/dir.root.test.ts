import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VolumeCapability_AccessMode_Mode as Mode } from '@holdfast/csi-spec';
import { findMount, mountsUnder, readMountInfo, runCommand } from '@holdfast/mount';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { leftoversOf } from '../testing/leftovers.ts';
import {
  fromSnapshot,
  fromVolume,
  MiB,
  mountCapability,
  options,
  requestsFor,
  snapshotRequest,
} from '../testing/requests.ts';
import { makeScratchFolder, removeScratchFolder, type ServedBackend, serveBackend } from '../testing/served-backend.ts';

let dir: string;
let driver: ServedBackend;
beforeEach(async () => {
  dir = await makeScratchFolder();
  driver = await serveBackend('dir', dir);
});
afterEach(async () => {
  await driver.stop();
  for (const entry of mountsUnder(await readMountInfo(), dir).toReversed())
    await runCommand('umount', [entry.mountPoint]);
  await removeScratchFolder(dir);
});

const volumeOf = (mode: Mode = Mode.SINGLE_NODE_WRITER, name = 'pvc-1') =>
  requestsFor({ name, capability: mountCapability('', mode), dir, sizeBytes: 32n * MiB });

describe('a directory volume', () => {
  test('lives: bytes stay over pods, it expands by record, and is gone without a trace', async () => {
    const volume = volumeOf();
    await driver.controller.createVolume(volume.create(), options);
    for (const pod of [1, 2]) {
      await driver.node.nodePublishVolume(volume.publish(), options);
      await driver.node.nodePublishVolume(volume.publish(), options);
      expect(mountsUnder(await readMountInfo(), volume.targetPath)).toHaveLength(1);
      if (pod === 1) await writeFile(join(volume.targetPath, 'bytes'), 'kept');
      expect(await readFile(join(volume.targetPath, 'bytes'), 'utf8')).toBe('kept');
      const { usage } = await driver.node.nodeGetVolumeStats(volume.stats(), options);
      expect(usage.map((one) => one.unit)).toContain(1);
      await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
      await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
      await expect(stat(volume.targetPath)).rejects.toMatchObject({ code: 'ENOENT' });
    }
    expect(await driver.controller.controllerExpandVolume(volume.expand(64n * MiB), options)).toEqual({
      capacityBytes: 64n * MiB,
      nodeExpansionRequired: false,
    });
    await driver.controller.deleteVolume(volume.remove(), options);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test('is snapshot, restored and cloned while it is published; each goes its own way, and without a trace', async () => {
    const volume = volumeOf();
    await driver.controller.createVolume(volume.create(), options);
    await driver.node.nodePublishVolume(volume.publish(), options);
    await writeFile(join(volume.targetPath, 'bytes'), 'before', { mode: 0o640 });
    const { snapshot } = await driver.controller.createSnapshot(snapshotRequest('snap-1', 'pvc-1'), options);
    expect(snapshot).toMatchObject({ sizeBytes: 32n * MiB, sourceVolumeId: 'pvc-1', readyToUse: true });
    await writeFile(join(volume.targetPath, 'bytes'), 'after');
    const [restored, clone] = [volumeOf(undefined, 'pvc-2'), volumeOf(undefined, 'pvc-3')];
    await driver.controller.createVolume(restored.create(fromSnapshot('snap-1')), options);
    await driver.controller.createVolume(clone.create(fromVolume('pvc-1')), options);
    for (const [copy, text] of [
      [restored, 'before'],
      [clone, 'after'],
    ] as const) {
      await driver.node.nodePublishVolume(copy.publish(), options);
      const file = join(copy.targetPath, 'bytes');
      expect(await readFile(file, 'utf8')).toBe(text);
      expect((await stat(file)).mode & 0o777).toBe(0o640);
      await writeFile(file, 'of its own');
    }
    expect(await readFile(join(volume.targetPath, 'bytes'), 'utf8')).toBe('after');
    for (const one of [volume, restored, clone]) {
      await driver.node.nodeUnpublishVolume(one.unpublish(), options);
      await driver.controller.deleteVolume(one.remove(), options);
    }
    await driver.controller.deleteSnapshot({ snapshotId: 'snap-1', secrets: {} }, options);
    expect(await readdir(join(driver.pool, 'snapshot-data'))).toEqual([]);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test('is shared by the pods of its node, writable or read-only, by the modes of ReadWriteMany and ReadOnlyMany', async () => {
    const volume = volumeOf(Mode.MULTI_NODE_MULTI_WRITER);
    await driver.controller.createVolume(volume.create(), options);
    const places = ['a', 'b'].map((pod) => `${dir}/pods/${pod}/mount`);
    for (const targetPath of places) await driver.node.nodePublishVolume(volume.publish({ targetPath }), options);
    const [one = '', two = ''] = places;
    await writeFile(join(one, 'bytes'), 'shared');
    expect(await readFile(join(two, 'bytes'), 'utf8')).toBe('shared');
    const reader = volumeOf(Mode.MULTI_NODE_READER_ONLY);
    await driver.node.nodePublishVolume(reader.publish(), options);
    expect(await readFile(join(reader.targetPath, 'bytes'), 'utf8')).toBe('shared');
    await expect(writeFile(join(reader.targetPath, 'bytes'), 'no')).rejects.toMatchObject({ code: 'EROFS' });
    for (const targetPath of [...places, reader.targetPath])
      await driver.node.nodeUnpublishVolume({ volumeId: 'pvc-1', targetPath }, options);
    await driver.controller.deleteVolume(volume.remove(), options);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test('that is published is not deleted; figures of a path it is not at are not found', async () => {
    const volume = volumeOf();
    await driver.controller.createVolume(volume.create(), options);
    await driver.node.nodePublishVolume(volume.publish(), options);
    await expect(driver.controller.deleteVolume(volume.remove(), options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining(volume.targetPath),
    });
    await expect(driver.node.nodeGetVolumeStats(volume.stats('/'), options)).rejects.toMatchObject({
      code: 'NotFound',
    });
    const other = volumeOf(Mode.SINGLE_NODE_WRITER, 'pvc-2');
    await driver.controller.createVolume(other.create(), options);
    await expect(driver.node.nodeGetVolumeStats(other.stats(volume.targetPath), options)).rejects.toMatchObject({
      code: 'NotFound',
    });
    await expect(
      driver.node.nodeUnpublishVolume({ volumeId: 'pvc-2', targetPath: volume.targetPath }, options),
    ).rejects.toMatchObject({
      code: 'FailedPrecondition',
    });
    expect(await findMount(volume.targetPath)).toBeDefined();
  });

  test('with something mounted inside it is not deleted through that mount', async () => {
    const volume = volumeOf();
    await driver.controller.createVolume(volume.create(), options);
    const inside = join(driver.pool, 'data/pvc-1/inside');
    await mkdir(inside);
    await runCommand('mount', ['-t', 'tmpfs', 'tmpfs', inside]);
    await writeFile(join(inside, 'foreign'), 'kept');
    await expect(driver.controller.deleteVolume(volume.remove(), options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
    });
    expect(await readdir(inside)).toEqual(['foreign']);
    await runCommand('umount', [inside]);
    await driver.controller.deleteVolume(volume.remove(), options);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test('of a single writer has one target; a reader cannot write', async () => {
    const single = volumeOf(Mode.SINGLE_NODE_SINGLE_WRITER);
    await driver.controller.createVolume(single.create(), options);
    await driver.node.nodePublishVolume(single.publish(), options);
    await expect(
      driver.node.nodePublishVolume(single.publish({ targetPath: join(dir, 'pods/second') }), options),
    ).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining(single.targetPath),
    });
    const reader = volumeOf(Mode.SINGLE_NODE_READER_ONLY, 'pvc-2');
    await driver.controller.createVolume(reader.create(), options);
    await driver.node.nodePublishVolume(reader.publish(), options);
    await expect(writeFile(join(reader.targetPath, 'x'), '')).rejects.toMatchObject({ code: 'EROFS' });
  });
});

test('for a user who is root only in a namespace, a directory volume lives as well', async () => {
  await driver.stop();
  await chmod(dir, 0o777);
  const own = join(dir, 'own');
  const script = `
    const { serveBackend } = await import(${JSON.stringify(import.meta.resolve('../testing/served-backend.ts'))});
    const { requestsFor, mountCapability, options, MiB } = await import(${JSON.stringify(import.meta.resolve('../testing/requests.ts'))});
    const { writeFile, readFile, mkdir } = await import('node:fs/promises');
    await mkdir(${JSON.stringify(own)});
    const driver = await serveBackend('dir', ${JSON.stringify(own)});
    const volume = requestsFor({ name: 'pvc-1', capability: mountCapability(), dir: ${JSON.stringify(own)}, sizeBytes: MiB });
    await driver.controller.createVolume(volume.create(), options);
    await driver.node.nodePublishVolume(volume.publish(), options);
    await driver.node.nodePublishVolume(volume.publish({ targetPath: volume.targetPath + '-ro', readonly: true }), options);
    await writeFile(volume.targetPath + '/x', 'seen');
    const seen = await readFile(volume.targetPath + '-ro/x', 'utf8');
    const refused = await writeFile(volume.targetPath + '-ro/y', '').catch((error) => error.code);
    await driver.node.nodeUnpublishVolume({ volumeId: 'pvc-1', targetPath: volume.targetPath + '-ro' }, options);
    await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
    await driver.controller.deleteVolume(volume.remove(), options);
    await driver.stop();
    console.log(seen, refused);
    process.exit(0);`;
  const args = ['--user', '--map-root-user', '--mount', process.execPath, '--input-type=module', '--eval', script];
  expect((await runCommand('unshare', args)).stdout.trim()).toBe('seen EROFS');
  expect(await leftoversOf(own)).toEqual([]);
  driver = await serveBackend('dir', dir);
});
