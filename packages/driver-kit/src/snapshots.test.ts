import {
  CreateSnapshotRequest,
  CreateVolumeGroupSnapshotRequest,
  type DeepPartial,
  ListSnapshotsRequest,
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

const snapshot = (name: string, sourceVolumeId = 'one', more: DeepPartial<CreateSnapshotRequest> = {}) =>
  driver.controller.createSnapshot(CreateSnapshotRequest.fromPartial({ name, sourceVolumeId, ...more }), options);
const list = async (more: DeepPartial<ListSnapshotsRequest> = {}) => {
  const { entries, nextToken } = await driver.controller.listSnapshots(ListSnapshotsRequest.fromPartial(more), options);
  return { ids: entries.map((entry) => entry.snapshot?.snapshotId), nextToken };
};
const remove = (snapshotId: string) => driver.controller.deleteSnapshot({ snapshotId, secrets: {} }, options);

describe('CreateSnapshot', () => {
  test('says what was cut, when, and what a volume made from it needs', async () => {
    await driver.create('one', { capacityRange: { requiredBytes: 2048n } });
    expect((await snapshot('snap')).snapshot).toEqual({
      snapshotId: 'snap',
      sourceVolumeId: 'one',
      sizeBytes: 2048n,
      creationTime: { seconds: 5n, nanos: 0 },
      readyToUse: true,
      groupSnapshotId: '',
      accessibleTopology: [{ segments: { 'example/node': 'a' } }],
    });
  });

  test('the same name and source is the same snapshot, also when the source is gone by now', async () => {
    await driver.create('one');
    const first = await snapshot('snap');
    backend.volumes.delete('one');
    expect(await snapshot('snap')).toEqual(first);
    expect(backend.calls.filter((call) => call.startsWith('snapshot'))).toHaveLength(1);
  });

  // CSI spec, "CreateSnapshot Errors" and "Size Limits".
  test.each([
    ['no name', '', 'one', {}, 'InvalidArgument'],
    ['a name of 129 bytes', 'x'.repeat(129), 'one', {}, 'InvalidArgument'],
    ['no source', 'new', '', {}, 'InvalidArgument'],
    ['a source that no volume can be', 'new', '../one', {}, 'InvalidArgument'],
    ['a parameter nobody knows', 'new', 'one', { parameters: { speed: '1' } }, 'InvalidArgument'],
    ['a source that is not there', 'new', 'none', {}, 'NotFound'],
    ['the name of a snapshot of another volume', 'taken', 'one', {}, 'AlreadyExists'],
    [
      'a topology that the volume is not in',
      'new',
      'one',
      { accessibilityRequirements: { requisite: [{ segments: { 'example/node': 'b' } }] } },
      'ResourceExhausted',
    ],
  ])('%s', async (_what, name, source, more, code) => {
    await driver.create('one');
    await driver.create('two');
    await snapshot('taken', 'two');
    await expect(snapshot(name, source, more)).rejects.toMatchObject({ code });
  });

  test('tells where it is, except to a caller that named one place and got it', async () => {
    await driver.create('one');
    const [a, b] = [{ segments: { 'example/node': 'a' } }, { segments: { 'example/node': 'b' } }];
    const asked = (requisite: (typeof a)[]) => ({ accessibilityRequirements: { requisite } });
    expect((await snapshot('s1', 'one', asked([a]))).snapshot?.accessibleTopology).toEqual([]);
    expect((await snapshot('s2', 'one', asked([a, b]))).snapshot?.accessibleTopology).toEqual([a]);
    const found = await driver.controller.getSnapshot({ snapshotId: 's1', secrets: {} }, options);
    expect(found.snapshot?.accessibleTopology).toEqual([a]);
  });

  test('what external-snapshotter adds to the class is no parameter of ours', async () => {
    await driver.create('one');
    const parameters = { 'csi.storage.k8s.io/volumesnapshot/name': 'x' };
    expect((await snapshot('snap', 'one', { parameters })).snapshot?.snapshotId).toBe('snap');
  });

  test('ABORTED while the same snapshot, or another operation on its volume, is under way', async () => {
    await driver.create('one');
    const gate = Promise.withResolvers<void>();
    backend.gate = gate.promise;
    const running = snapshot('snap');
    // The first is in the backend once it has said so there.
    await expect.poll(() => backend.calls).toContain('snapshot snap');
    await expect(snapshot('snap')).rejects.toMatchObject({ code: 'Aborted' });
    await expect(snapshot('other')).rejects.toMatchObject({ code: 'Aborted' });
    await expect(driver.controller.deleteVolume({ volumeId: 'one', secrets: {} }, options)).rejects.toMatchObject({
      code: 'Aborted',
    });
    gate.resolve();
    await running;
    await snapshot('other');
  });
});

describe('DeleteSnapshot and GetSnapshot', () => {
  test('gone is success; what cannot be an id is INVALID_ARGUMENT; what is not there is NOT_FOUND', async () => {
    await driver.create('one');
    await snapshot('snap');
    const get = (snapshotId: string) => driver.controller.getSnapshot({ snapshotId, secrets: {} }, options);
    expect((await get('snap')).snapshot?.sourceVolumeId).toBe('one');
    await remove('snap');
    await remove('snap');
    await expect(get('snap')).rejects.toMatchObject({ code: 'NotFound' });
    for (const id of ['', '../x']) {
      await expect(remove(id)).rejects.toMatchObject({ code: 'InvalidArgument' });
      await expect(get(id)).rejects.toMatchObject({ code: 'InvalidArgument' });
    }
  });
});

describe('ListSnapshots', () => {
  beforeEach(async () => {
    await driver.create('one');
    await driver.create('two');
    for (const name of ['a', 'b', 'c']) await snapshot(name);
    await snapshot('d', 'two');
  });

  test('pages; a token is good while what it names goes away, and the rest comes without a limit', async () => {
    const first = await list({ maxEntries: 2 });
    expect(first.ids).toEqual(['a', 'b']);
    await remove('b');
    expect(await list({ startingToken: first.nextToken })).toEqual({ ids: ['c', 'd'], nextToken: '' });
    expect(await list({ maxEntries: 3 })).toEqual({ ids: ['a', 'c', 'd'], nextToken: '' });
  });

  // CSI spec "ListSnapshots Errors": ids that are not there, or cannot be, are no errors.
  test('filters; what is not there is an empty list', async () => {
    expect((await list({ snapshotId: 'b' })).ids).toEqual(['b']);
    expect((await list({ sourceVolumeId: 'two' })).ids).toEqual(['d']);
    expect((await list({ sourceVolumeId: 'two', snapshotId: 'a' })).ids).toEqual([]);
    expect((await list({ snapshotId: 'none' })).ids).toEqual([]);
    expect((await list({ snapshotId: '../x' })).ids).toEqual([]);
    expect((await list({ sourceVolumeId: 'none' })).ids).toEqual([]);
  });

  test('a token of somebody else’s is ABORTED, a negative limit INVALID_ARGUMENT', async () => {
    await expect(list({ startingToken: 'x' })).rejects.toMatchObject({ code: 'Aborted' });
    await expect(list({ maxEntries: -1 })).rejects.toMatchObject({ code: 'InvalidArgument' });
  });
});

describe('a volume made from something', () => {
  const fromSnapshot = (snapshotId: string) => ({
    volumeContentSource: { type: { $case: 'snapshot' as const, value: { snapshotId } } },
  });
  const fromVolume = (volumeId: string) => ({
    volumeContentSource: { type: { $case: 'volume' as const, value: { volumeId } } },
  });
  beforeEach(async () => {
    await driver.create('one', { capacityRange: { requiredBytes: 2048n }, parameters: { tier: 'fast' } });
    await snapshot('snap');
  });

  test('has the size of its source unless more is asked for, and names it', async () => {
    const { volume } = await driver.create('r', fromSnapshot('snap'));
    expect(volume).toMatchObject({ capacityBytes: 2048n, contentSource: fromSnapshot('snap').volumeContentSource });
    const larger = await driver.create('c', { ...fromVolume('one'), capacityRange: { requiredBytes: 4096n } });
    expect(larger.volume).toMatchObject({
      capacityBytes: 4096n,
      contentSource: fromVolume('one').volumeContentSource,
    });
    const { entries } = await driver.controller.listVolumes({ maxEntries: 0, startingToken: '' }, options);
    expect(entries.map((entry) => entry.volume?.contentSource?.type?.$case)).toEqual(['volume', undefined, 'snapshot']);
  });

  // CSI spec, "CreateVolume Errors".
  test.each([
    ['from no snapshot', fromSnapshot('none'), 'NotFound'],
    ['from no volume', fromVolume('none'), 'NotFound'],
    ['from a snapshot without an id', fromSnapshot(''), 'InvalidArgument'],
    ['from itself', fromVolume('new'), 'InvalidArgument'],
    ['from nothing that is named', { volumeContentSource: {} }, 'InvalidArgument'],
    ['smaller than its source', { ...fromSnapshot('snap'), capacityRange: { requiredBytes: 1024n } }, 'OutOfRange'],
    ['limited to less', { ...fromVolume('one'), capacityRange: { limitBytes: 1024n } }, 'OutOfRange'],
    [
      'far from its source',
      { ...fromVolume('one'), accessibilityRequirements: { requisite: [{ segments: { 'example/node': 'b' } }] } },
      'ResourceExhausted',
    ],
  ])('%s is refused', async (_what, more, code) => {
    await expect(driver.create('new', more)).rejects.toMatchObject({ code });
    expect(backend.calls).not.toContain('create new');
  });

  test('asked for again it is the same one, also without its source; from another source it is ALREADY_EXISTS', async () => {
    await driver.create('r', fromSnapshot('snap'));
    await remove('snap');
    expect((await driver.create('r', fromSnapshot('snap'))).volume?.volumeId).toBe('r');
    await expect(driver.create('r', fromSnapshot('other'))).rejects.toMatchObject({ code: 'AlreadyExists' });
    await expect(driver.create('r')).rejects.toMatchObject({
      code: 'AlreadyExists',
      message: expect.stringContaining('it was made from snapshot snap, not empty'),
    });
  });

  test('several are made from one source at once, which cannot be deleted meanwhile', async () => {
    const gate = Promise.withResolvers<void>();
    backend.gate = gate.promise;
    const running = ['r1', 'r2'].map((name) => driver.create(name, fromSnapshot('snap')));
    await expect.poll(() => backend.calls.filter((call) => /create r/.test(call)).length).toBe(2);
    await expect(remove('snap')).rejects.toMatchObject({ code: 'Aborted' });
    gate.resolve();
    await Promise.all(running);
    await remove('snap');
  });
});

describe('group snapshots', () => {
  const group = (name: string, sourceVolumeIds: string[]) =>
    driver.group.createVolumeGroupSnapshot(
      CreateVolumeGroupSnapshotRequest.fromPartial({ name, sourceVolumeIds }),
      options,
    );
  const get = (groupSnapshotId: string, snapshotIds: string[] = []) =>
    driver.group.getVolumeGroupSnapshot({ groupSnapshotId, snapshotIds, secrets: {} }, options);
  const removeGroup = (groupSnapshotId: string, snapshotIds: string[] = []) =>
    driver.group.deleteVolumeGroupSnapshot({ groupSnapshotId, snapshotIds, secrets: {} }, options);
  beforeEach(async () => {
    await driver.create('one');
    await driver.create('two');
  });

  test('a member for each volume, found as any snapshot, and gone with the group', async () => {
    const { groupSnapshot } = await group('g', ['one', 'two']);
    const ids = groupSnapshot?.snapshots.map((one) => one.snapshotId) ?? [];
    expect(groupSnapshot?.snapshots.map((one) => [one.sourceVolumeId, one.groupSnapshotId])).toEqual([
      ['one', 'g'],
      ['two', 'g'],
    ]);
    expect(new Set((await list()).ids)).toEqual(new Set(ids));
    expect(await group('g', ['two', 'one'])).toEqual({ groupSnapshot });
    expect(await get('g', ids)).toEqual({ groupSnapshot });
    // CSI spec "DeleteSnapshot Errors": a member that cannot be deleted alone.
    await expect(remove(ids[0] ?? '')).rejects.toMatchObject({ code: 'InvalidArgument' });
    await removeGroup('g', ids);
    await removeGroup('g', ids);
    expect((await list()).ids).toEqual([]);
  });

  test('refusals: no name, no volumes, unknown volume, other volumes, other members, unknown group', async () => {
    await group('g', ['one']);
    await expect(group('', ['one'])).rejects.toMatchObject({ code: 'InvalidArgument' });
    await expect(group('h', [])).rejects.toMatchObject({ code: 'InvalidArgument' });
    await expect(group('h', ['none'])).rejects.toMatchObject({ code: 'NotFound' });
    await expect(group('g', ['one', 'two'])).rejects.toMatchObject({ code: 'AlreadyExists' });
    await expect(get('g', ['x'])).rejects.toMatchObject({ code: 'InvalidArgument' });
    await expect(removeGroup('g', ['x'])).rejects.toMatchObject({ code: 'InvalidArgument' });
    await expect(removeGroup('')).rejects.toMatchObject({ code: 'InvalidArgument' });
    await expect(get('none')).rejects.toMatchObject({ code: 'NotFound' });
  });
});
