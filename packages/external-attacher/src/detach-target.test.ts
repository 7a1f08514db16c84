import type { PersistentVolume } from '@holdfast/kube';
import { expect, test } from 'vitest';
import { type DetachRecord, detachRecord, recordAnnotations } from './detach-record.ts';
import { detachTarget } from './detach-target.ts';
import { annotations } from './names.ts';
import { attachmentOf, traits, volumeOf } from './testing/objects.ts';

const ofVolume = { controllerPublishSecretRef: { name: 'new', namespace: 'ns' } };
const recorded = { [annotations.volumeHandle]: 'vol-1', [annotations.publishSecret]: 'ns/old' };

test.each<[string, Record<string, string>, PersistentVolume | undefined, object]>([
  [
    'the volume as it is now, its secret included',
    recorded,
    volumeOf({ csi: ofVolume }),
    { volumeId: 'vol-1', secretRef: { name: 'new', namespace: 'ns' } },
  ],
  ['the volume alone where nothing is recorded', {}, volumeOf(), { volumeId: 'vol-1' }],
  ['the record where the volume is gone', recorded, undefined, { volumeId: 'vol-1', secretRef: { name: 'old' } }],
  ['the record without a secret', { [annotations.volumeHandle]: 'vol-1' }, undefined, { volumeId: 'vol-1' }],
  [
    'the record where another volume has the name',
    recorded,
    volumeOf({ csi: { volumeHandle: 'vol-2', ...ofVolume } }),
    { volumeId: 'vol-1', secretRef: { name: 'old', namespace: 'ns' } },
  ],
  [
    "the record where the name is another driver's volume by now",
    recorded,
    volumeOf({ csi: { driver: 'other' } }),
    { volumeId: 'vol-1' },
  ],
])('what counts is %s', (_name, notes, volume, expected) => {
  const attachment = attachmentOf({ metadata: { annotations: notes } });
  expect(detachTarget(attachment, volume, traits)).toMatchObject({ kind: 'known', ...expected });
});

test.each([{}, { [annotations.volumeHandle]: '' }, { [annotations.publishSecret]: 'ns/name' }])(
  'with %o and no volume it is not known what to detach',
  (notes) => {
    const attachment = attachmentOf({ metadata: { annotations: notes } });
    expect(detachTarget(attachment, undefined, traits)).toEqual({
      kind: 'unknown',
      message: 'PersistentVolume "pv-1" does not exist',
    });
  },
);

test.each<DetachRecord>([
  { volumeId: 'vol-1' },
  { volumeId: 'a/b#c', secretRef: { name: 'keys.v1', namespace: 'kube-system' } },
])('a record is read back as it was written: %o', (record) => {
  const notes = Object.entries(recordAnnotations(record)).flatMap(([key, value]) => (value ? [[key, value]] : []));
  expect(detachRecord(attachmentOf({ metadata: { annotations: Object.fromEntries(notes) } }))).toEqual(record);
});
