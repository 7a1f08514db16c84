import {
  controllerCapabilities,
  nodeCapabilities,
  pluginCapabilities,
  StorageHealthErrorType,
  VolumeHealthErrorType,
} from '@holdfast/csi-spec';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryBackend, type MemoryBackend } from './testing/memory-backend.ts';
import { options, type ServedKit, serveKit } from './testing/served-memory.ts';

let backend: MemoryBackend;
let driver: ServedKit;
beforeEach(async () => {
  backend = createMemoryBackend();
  driver = await serveKit(backend);
});
afterEach(() => driver.stop());

describe('ControllerModifyVolume', () => {
  const modify = (volumeId: string, mutableParameters: Record<string, string>) =>
    driver.controller.controllerModifyVolume({ volumeId, mutableParameters, secrets: {} }, options);

  test('what is known reaches the backend, at creation and later', async () => {
    await driver.create('one', { mutableParameters: { iops: '5' } });
    await modify('one', { iops: '7' });
    expect(backend.modified).toEqual([{ iops: '5' }, { iops: '7' }]);
    await modify('one', {});
    expect(backend.modified).toHaveLength(2);
  });

  // CSI spec "ControllerModifyVolume Errors".
  test.each([
    ['a key nobody knows, and then none is applied', 'one', { iops: '7', speed: '1' }, 'InvalidArgument', 'speed'],
    ['a value that is wrong', 'one', { iops: 'many' }, 'InvalidArgument', 'must be a number'],
    ['a map of more than 4 KiB', 'one', { iops: '1'.repeat(5000) }, 'InvalidArgument', '4096'],
    ['a volume that is not there, before its parameters', 'none', { speed: '1' }, 'NotFound', 'none'],
    ['no volume', '', {}, 'InvalidArgument', 'volume_id'],
  ])('%s', async (_what, id, parameters, code, part) => {
    await driver.create('one');
    const before = backend.modified.length;
    await expect(modify(id, parameters)).rejects.toMatchObject({ code, message: expect.stringContaining(part) });
    expect(backend.modified).toHaveLength(before);
  });

  test('CreateVolume refuses what ControllerModifyVolume would', async () => {
    await expect(driver.create('one', { mutableParameters: { speed: '1' } })).rejects.toMatchObject({
      code: 'InvalidArgument',
      message: expect.stringContaining('VolumeAttributesClass'),
    });
  });
});

describe('volume health', () => {
  test('nothing wrong is an empty list; something wrong is told, alone and in pages', async () => {
    await driver.create('ill');
    await driver.create('well');
    const get = (volumeId: string) => driver.controller.controllerGetVolumeHealth({ volumeId, secrets: {} }, options);
    expect((await get('well')).volumeHealth).toEqual({ volumeId: 'well', healthStatuses: [] });
    const ill = {
      volumeId: 'ill',
      healthStatuses: [
        { status: VolumeHealthErrorType.DATA_LOSS, reason: 'ImageMissing', message: 'its image is gone' },
      ],
    };
    expect((await get('ill')).volumeHealth).toEqual(ill);
    const page = { maxEntries: 1, startingToken: '', secrets: {} };
    const { entries, nextToken } = await driver.controller.controllerListVolumeHealth(page, options);
    expect(entries).toEqual([ill]);
    const next = await driver.controller.controllerListVolumeHealth({ ...page, startingToken: nextToken }, options);
    expect(next).toEqual({ entries: [{ volumeId: 'well', healthStatuses: [] }], nextToken: '' });
    const paths = { volumePublishPath: '', stagingTargetPath: '' };
    expect(await driver.node.nodeGetVolumeHealth({ volumeId: 'well', ...paths }, options)).toEqual({
      volumeHealth: { volumeId: 'well', healthStatuses: [] },
    });
    await expect(get('none')).rejects.toMatchObject({ code: 'NotFound' });
    await expect(driver.node.nodeGetVolumeHealth({ volumeId: '', ...paths }, options)).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
  });
});

test('NodeGetStorageHealth tells what is wrong with the storage of all volumes', async () => {
  const { backendHealth } = await driver.node.nodeGetStorageHealth({ secrets: {} }, options);
  expect(backendHealth).toMatchObject([
    { status: StorageHealthErrorType.STORAGE_DEGRADED, reason: 'PoolReadOnly', volumeCapability: undefined },
  ]);
});

describe('a backend that copies nothing', () => {
  test('advertises none of it, answers UNIMPLEMENTED, and refuses sources and mutable parameters', async () => {
    await driver.stop();
    const { createSnapshot: _1, cloneVolume: _2, modifyVolume: _3, volumeHealth: _4, ...rest } = backend;
    const { volumeHealthOnNode: _5, createGroupSnapshot: _6, storageHealth: _7, ...plain } = rest;
    driver = await serveKit(plain);
    const offered = [
      ...controllerCapabilities(await driver.controller.controllerGetCapabilities({}, options)),
      ...nodeCapabilities(await driver.node.nodeGetCapabilities({}, options)),
      ...pluginCapabilities(await driver.identity.getPluginCapabilities({}, options)),
    ];
    expect(offered.filter((name) => /SNAPSHOT|CLONE|MODIFY|HEALTH|GROUP/.test(name))).toEqual([]);
    const unimplemented = { code: 'Unimplemented' };
    await expect(driver.controller.deleteSnapshot({ snapshotId: 'x', secrets: {} }, options)).rejects.toMatchObject(
      unimplemented,
    );
    await expect(driver.group.groupControllerGetCapabilities({}, options)).rejects.toMatchObject(unimplemented);
    for (const type of [
      { $case: 'snapshot', value: { snapshotId: 'x' } },
      { $case: 'volume', value: { volumeId: 'x' } },
    ] as const) {
      await expect(driver.create('new', { volumeContentSource: { type } })).rejects.toMatchObject({
        code: 'InvalidArgument',
        message: expect.stringContaining(`from a ${type.$case}`),
      });
    }
    await expect(driver.create('new', { mutableParameters: { iops: '1' } })).rejects.toMatchObject({
      code: 'InvalidArgument',
      message: expect.stringContaining('cannot modify volumes'),
    });
  });
});
