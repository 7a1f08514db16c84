import { describe, expect, test } from 'vitest';
import { decideVolume } from './decide-volume.ts';
import { attachmentOf, DELETED, DRIVER, FINALIZER, traits, volumeOf } from './testing/objects.ts';

describe('the finalizer of a volume', () => {
  const held = { finalizers: ['kubernetes.io/pv-protection', FINALIZER] };
  test.each([
    ['in use', volumeOf({ metadata: held }), [], 'ignore'],
    ['deleted', volumeOf({ metadata: { ...held, ...DELETED } }), [], 'release'],
    ['deleted and attached', volumeOf({ metadata: { ...held, ...DELETED } }), [attachmentOf()], 'wait'],
    [
      "deleted and held by another driver's attachment",
      volumeOf({ metadata: { ...held, ...DELETED } }),
      [attachmentOf({ spec: { attacher: 'other' } })],
      'wait',
    ],
    ['deleted, without our finalizer', volumeOf({ metadata: DELETED }), [], 'ignore'],
  ])('%s', (_name, volume, attachments, kind) => {
    expect(decideVolume({ volume, attachments }, traits).kind).toBe(kind);
  });

  test('an in-tree volume that is no longer migrated to the driver is released', () => {
    const inTree = { ...volumeOf({ metadata: held }), spec: { accessModes: ['ReadWriteOnce'] } };
    expect(decideVolume({ volume: inTree, attachments: [] }, traits).kind).toBe('release');
    const metadata = { ...inTree.metadata, annotations: { 'pv.kubernetes.io/migrated-to': DRIVER } };
    expect(decideVolume({ volume: { ...inTree, metadata }, attachments: [] }, traits).kind).toBe('ignore');
  });
});
