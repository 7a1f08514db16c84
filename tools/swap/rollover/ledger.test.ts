import type { PersistentVolume, VolumeAttachment } from '@holdfast/kube';
import { expect, it } from 'vitest';
import { nodeIdOf } from '../cases/objects.ts';
import { disagreements } from './ledger.ts';

const metadata = { uid: '', resourceVersion: '', creationTimestamp: '' };
const volume: PersistentVolume = { metadata: { ...metadata, name: 'v' }, spec: { capacity: { storage: '1Ki' } } };
const attachment: VolumeAttachment = {
  metadata: { ...metadata, name: 'a' },
  spec: { attacher: 'd', nodeName: 'n', source: { persistentVolumeName: 'v' } },
  status: { attached: true },
};
const entry = { sizeBytes: 1024n, nodes: new Set([nodeIdOf('n')]) };

it('driver and API agree on volumes, sizes and attachments', () => {
  expect(disagreements(new Map([['v', entry]]), [volume], [attachment])).toEqual([]);
});

it('what only one has is told', () => {
  expect(disagreements(new Map([['v', entry]]), [], [])).toEqual([
    'the driver has a volume v of 1024 bytes, the API has not',
    'the driver has a volume v attached to id-of-n, the API has not',
  ]);
  expect(disagreements(new Map([['v', { ...entry, sizeBytes: 1n }]]), [volume], [attachment])).toEqual([
    'the driver has a volume v of 1 bytes, the API has not',
    'the API has a volume v of 1024 bytes, the driver has not',
  ]);
});
