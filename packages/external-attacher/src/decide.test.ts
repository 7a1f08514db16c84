import { VolumeCapability_AccessMode_Mode as Mode } from '@holdfast/csi-spec';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AttachmentStep, type AttachmentView, decideAttachment } from './decide.ts';
import { annotations } from './names.ts';
import { attachmentOf, csiNodeOf, DELETED, DRIVER, FINALIZER, traits, volumeOf } from './testing/objects.ts';

function viewOf(parts: Partial<AttachmentView> = {}): AttachmentView {
  return {
    attachment: attachmentOf(),
    volume: volumeOf(),
    csiNode: csiNodeOf(),
    siblings: [],
    isForced: false,
    ...parts,
  };
}

function attachStep(step: AttachmentStep): Extract<AttachmentStep, { kind: 'attach' }> {
  if (step.kind !== 'attach') throw new Error(`expected attach, got ${step.kind}: ${step.reason}`);
  return step;
}

const going = { ...DELETED, finalizers: [FINALIZER] };

describe('which step', () => {
  const table: [string, Partial<AttachmentView>, AttachmentStep['kind']][] = [
    ["another driver's", { attachment: attachmentOf({ spec: { attacher: 'other' } }) }, 'ignore'],
    ['new', {}, 'attach'],
    ['attached', { attachment: attachmentOf({ status: { attached: true } }) }, 'ignore'],
    [
      'attached, but not in the list',
      { attachment: attachmentOf({ status: { attached: true } }), isForced: true },
      'attach',
    ],
    ['deleted and ours to detach', { attachment: attachmentOf({ metadata: going }) }, 'detach'],
    [
      'deleted while its publish had failed for good',
      { attachment: attachmentOf({ metadata: going, status: { attached: false, attachError: { message: 'no' } } }) },
      'detach',
    ],
    ['deleted before anything was done', { attachment: attachmentOf({ metadata: DELETED }) }, 'leaveToOthers'],
    [
      'released, but its status was not written',
      { attachment: attachmentOf({ metadata: DELETED, status: { attached: true } }) },
      'markDetached',
    ],
  ];
  test.each(table)('%s: %o', (_name, view, kind) => {
    expect(decideAttachment(viewOf(view), traits).kind).toBe(kind);
  });

  test.each<[string, AttachmentView['attachment'], AttachmentStep['kind']]>([
    ['new', attachmentOf(), 'markAttached'],
    ['attached', attachmentOf({ status: { attached: true } }), 'ignore'],
    ['deleted', attachmentOf({ metadata: DELETED }), 'leaveToOthers'],
    ['deleted, with a finalizer of a former version of the driver', attachmentOf({ metadata: going }), 'release'],
  ])('a driver without a publish step, %s', (_name, attachment, kind) => {
    const view = viewOf({ attachment, volume: undefined, csiNode: undefined });
    expect(decideAttachment(view, { ...traits, canPublish: false }).kind).toBe(kind);
  });
});

describe('attach is refused, with the thing and the remedy', () => {
  const inline = { inlineVolumeSpec: volumeOf().spec ?? {} };
  test.each<[string, Partial<AttachmentView>, string]>([
    ['no volume', { volume: undefined }, 'PersistentVolume "pv-1" does not exist'],
    ['volume going', { volume: volumeOf({ metadata: DELETED }) }, 'PersistentVolume "pv-1" is marked for deletion'],
    ['in-tree volume', { volume: { ...volumeOf(), spec: { accessModes: ['ReadWriteOnce'] } } }, 'has no csi source'],
    ["another driver's volume", { volume: volumeOf({ csi: { driver: 'other' } }) }, 'belongs to driver "other"'],
    ['no handle', { volume: volumeOf({ csi: { volumeHandle: '' } }) }, 'empty csi.volumeHandle'],
    ['no node', { csiNode: undefined }, 'CSINode "node-1" does not exist'],
    [
      'driver not on the node',
      { csiNode: { ...csiNodeOf(), spec: { drivers: [] } } },
      `does not list driver "${DRIVER}"`,
    ],
    ['no node id', { csiNode: csiNodeOf('node-1', '') }, `does not list driver "${DRIVER}"`],
    ['no access mode', { volume: volumeOf({ spec: { accessModes: [] } }) }, 'no access mode is given'],
    [
      'modes that exclude each other',
      { volume: volumeOf({ spec: { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] } }) },
      'ReadOnlyMany and ReadWriteOnce',
    ],
    [
      'both sources',
      { attachment: attachmentOf({ spec: { source: { persistentVolumeName: 'pv-1', ...inline } } }) },
      'both persistentVolumeName and inlineVolumeSpec',
    ],
    ['no source', { attachment: attachmentOf({ spec: { source: {} } }) }, 'neither persistentVolumeName nor'],
  ])('%s', (_name, view, message) => {
    const step = decideAttachment(viewOf(view), traits);
    expect(step).toMatchObject({ kind: 'refuse', operation: 'attach', reason: expect.stringContaining(message) });
  });

  const leaving = attachmentOf({ name: 'va-2', metadata: going, spec: { nodeName: 'node-2' } });
  test('a single-node volume waits until it is detached from the other node', () => {
    expect(decideAttachment(viewOf({ siblings: [leaving] }), traits)).toMatchObject({
      kind: 'refuse',
      reason: 'the volume is still being detached from node "node-2" (VolumeAttachment "va-2")',
    });
  });

  test('any volume waits until it is detached from the same node, as that would undo the attach', () => {
    const shared = volumeOf({ spec: { accessModes: ['ReadWriteMany'] } });
    const same = attachmentOf({ name: 'va-2', metadata: going });
    expect(decideAttachment(viewOf({ volume: shared, siblings: [same] }), traits)).toMatchObject({
      kind: 'refuse',
      reason: 'the volume is still being detached from node "node-1" (VolumeAttachment "va-2")',
    });
  });

  test('others of the same volume do not stand in the way', () => {
    const shared = volumeOf({ spec: { accessModes: ['ReadWriteMany'] } });
    expect(decideAttachment(viewOf({ volume: shared, siblings: [leaving] }), traits).kind).toBe('attach');
    const released = attachmentOf({ name: 'va-2', metadata: DELETED, spec: { nodeName: 'node-2' } });
    expect(decideAttachment(viewOf({ siblings: [released, attachmentOf()] }), traits).kind).toBe('attach');
  });
});

describe('the publish request', () => {
  test('carries the volume, the node id of CSINode, and what the volume says', () => {
    const volume = volumeOf({
      spec: { accessModes: ['ReadWriteMany'], mountOptions: ['noatime'] },
      csi: {
        fsType: 'xfs',
        volumeAttributes: { pool: 'a' },
        readOnly: true,
        controllerPublishSecretRef: { name: 's', namespace: 'n' },
      },
    });
    const attachment = attachmentOf({ metadata: { annotations: { [annotations.nodeId]: 'stale' } } });
    const step = attachStep(decideAttachment(viewOf({ attachment, volume }), traits));
    expect(step.request).toEqual({
      volumeId: 'vol-1',
      nodeId: 'id-of-node-1',
      readonly: true,
      volumeContext: { pool: 'a' },
      volumeCapability: {
        accessMode: { mode: Mode.MULTI_NODE_MULTI_WRITER },
        accessType: { $case: 'mount', value: { fsType: 'xfs', mountFlags: ['noatime'], volumeMountGroup: '' } },
      },
    });
    expect(step.secretRef).toEqual({ name: 's', namespace: 'n' });
  });

  test('readonly is false when the driver cannot publish read-only', () => {
    const view = viewOf({ volume: volumeOf({ csi: { readOnly: true } }) });
    expect(attachStep(decideAttachment(view, { ...traits, canPublishReadonly: false })).request.readonly).toBe(false);
  });

  test('--default-fstype fills in only for a volume that names none', () => {
    const withDefault = { ...traits, defaultFsType: 'ext4' };
    const fsTypeOf = (fsType: string) => {
      const { request } = attachStep(decideAttachment(viewOf({ volume: volumeOf({ csi: { fsType } }) }), withDefault));
      return request.volumeCapability?.accessType?.value;
    };
    expect(fsTypeOf('')).toMatchObject({ fsType: 'ext4' });
    expect(fsTypeOf('btrfs')).toMatchObject({ fsType: 'btrfs' });
  });

  test('a block volume has a block capability', () => {
    const view = viewOf({ volume: volumeOf({ spec: { volumeMode: 'Block', accessModes: ['ReadWriteOnce'] } }) });
    const { request } = attachStep(decideAttachment(view, traits));
    expect(request.volumeCapability?.accessType).toEqual({ $case: 'block', value: {} });
  });

  test('an inline source needs no PersistentVolume', () => {
    const attachment = attachmentOf({ spec: { source: { inlineVolumeSpec: volumeOf().spec ?? {} } } });
    const step = attachStep(decideAttachment(viewOf({ attachment, volume: undefined }), traits));
    expect(step.request.volumeId).toBe('vol-1');
    expect(step.volume).toBeUndefined();
  });
});

describe('detach', () => {
  const attachment = attachmentOf({ metadata: { ...going, annotations: { [annotations.nodeId]: 'recorded' } } });

  test('takes the node id of CSINode, else the recorded one', () => {
    expect(decideAttachment(viewOf({ attachment }), traits)).toMatchObject({ kind: 'detach', nodeId: 'id-of-node-1' });
    for (const csiNode of [undefined, { ...csiNodeOf(), spec: { drivers: [] } }]) {
      expect(decideAttachment(viewOf({ attachment, csiNode }), traits)).toMatchObject({
        kind: 'detach',
        nodeId: 'recorded',
      });
    }
  });

  test('a volume marked for deletion is detached all the same', () => {
    const view = viewOf({ attachment, volume: volumeOf({ metadata: DELETED }) });
    expect(decideAttachment(view, traits)).toMatchObject({ kind: 'detach', volumeId: 'vol-1' });
  });

  test.each<[string, Partial<AttachmentView>, string]>([
    ['no volume', { attachment, volume: undefined }, `remove the finalizer "${FINALIZER}"`],
    ['no node id at all', { attachment: attachmentOf({ metadata: going }), csiNode: undefined }, annotations.nodeId],
  ])('%s is an error with a remedy, not a release', (_name, view, message) => {
    const step = decideAttachment(viewOf(view), traits);
    expect(step).toMatchObject({ kind: 'refuse', operation: 'detach', reason: expect.stringContaining(message) });
  });
});

test('whatever is seen: attach only what is not going, detach only what is ours and going, and never a call without ids', () => {
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const view = fc.record({
    isDeleted: fc.boolean(),
    hasFinalizer: fc.boolean(),
    isAttached: fc.boolean(),
    isForced: fc.boolean(),
    canPublish: fc.boolean(),
    handle: fc.constantFrom('', 'vol-1'),
    isVolumeThere: fc.boolean(),
    isVolumeDeleted: fc.boolean(),
    modes: fc.subarray(['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod', 'Bogus']),
    nodeId: maybe(fc.constantFrom('', 'n')),
    annotation: maybe(fc.constantFrom('', 'a')),
  });
  fc.assert(
    fc.property(view, (seen) => {
      const attachment = attachmentOf({
        metadata: {
          ...(seen.isDeleted ? DELETED : {}),
          ...(seen.hasFinalizer ? { finalizers: [FINALIZER] } : {}),
          ...(seen.annotation === undefined ? {} : { annotations: { [annotations.nodeId]: seen.annotation } }),
        },
        status: { attached: seen.isAttached },
      });
      const volume = volumeOf({ metadata: seen.isVolumeDeleted ? DELETED : {}, csi: { volumeHandle: seen.handle } });
      const step = decideAttachment(
        {
          attachment,
          volume: seen.isVolumeThere ? { ...volume, spec: { ...volume.spec, accessModes: seen.modes } } : undefined,
          csiNode: seen.nodeId === undefined ? undefined : csiNodeOf('node-1', seen.nodeId),
          siblings: [attachment],
          isForced: seen.isForced,
        },
        { ...traits, canPublish: seen.canPublish },
      );
      if (step.kind === 'attach' || step.kind === 'markAttached') expect(seen.isDeleted).toBe(false);
      if (step.kind === 'attach') {
        expect(step.request.volumeId && step.request.nodeId).toBeTruthy();
        expect(seen.isVolumeDeleted).toBe(false);
      }
      if (step.kind === 'detach' || step.kind === 'release') expect(seen.isDeleted && seen.hasFinalizer).toBe(true);
      if (step.kind === 'detach') expect(step.volumeId && step.nodeId).toBeTruthy();
      if (seen.isDeleted && seen.hasFinalizer) expect(['detach', 'release', 'refuse']).toContain(step.kind);
    }),
  );
});
