import { createStore } from '@holdfast/control';
import type { CSINode, PersistentVolume, VolumeAttachment } from '@holdfast/kube';
import { expect, test } from 'vitest';
import { findDrift } from './drift.ts';
import { annotations } from './names.ts';
import { attachmentOf, csiNodeOf, DELETED, traits, volumeOf } from './testing/objects.ts';

const published = new Map([['vol-1', new Set(['id-of-node-1'])]]);
const nothing = new Map([['vol-1', new Set<string>()]]);
const attached = { attached: true };
const recorded = { annotations: { [annotations.nodeId]: 'id-of-node-1' } };

function cachesWith(attachment: VolumeAttachment, parts: { volume?: PersistentVolume; node?: CSINode } = {}) {
  const attachments = createStore<VolumeAttachment>();
  const volumes = createStore<PersistentVolume>();
  const csiNodes = createStore<CSINode>();
  attachments.applyEvent(attachment);
  if (parts.volume) volumes.applyEvent(parts.volume);
  if (parts.node) csiNodes.applyEvent(parts.node);
  return { attachments, volumes, csiNodes };
}
const whole = { volume: volumeOf(), node: csiNodeOf() };

test.each<
  [
    string,
    VolumeAttachment,
    ReadonlyMap<string, ReadonlySet<string>>,
    { volume?: PersistentVolume; node?: CSINode },
    Partial<ReturnType<typeof findDrift>>,
  ]
>([
  ['attached and listed', attachmentOf({ status: attached }), published, whole, {}],
  ['attached and not listed', attachmentOf({ status: attached }), nothing, whole, { lost: ['va-1'] }],
  ['attached, volume not listed at all', attachmentOf({ status: attached }), new Map(), whole, { lost: ['va-1'] }],
  ['not attached, but listed', attachmentOf(), published, whole, { unfinished: ['va-1'] }],
  ['neither', attachmentOf(), nothing, whole, {}],
  ["another driver's", attachmentOf({ status: attached, spec: { attacher: 'other' } }), nothing, whole, {}],
  [
    'node gone, id recorded',
    attachmentOf({ status: attached, metadata: recorded }),
    nothing,
    { volume: volumeOf() },
    { lost: ['va-1'] },
  ],
  [
    'going, and no longer listed',
    attachmentOf({ status: attached, metadata: DELETED }),
    nothing,
    whole,
    { unfinished: ['va-1'] },
  ],
  ['going, and still listed', attachmentOf({ status: attached, metadata: DELETED }), published, whole, {}],
  [
    'volume gone, handle recorded',
    attachmentOf({ status: attached, metadata: { annotations: { [annotations.volumeHandle]: 'vol-1' } } }),
    nothing,
    { node: csiNodeOf() },
    { lost: ['va-1'] },
  ],
  ['node unknown', attachmentOf({ status: attached }), nothing, { volume: volumeOf() }, {}],
  ['volume gone', attachmentOf({ status: attached }), nothing, { node: csiNodeOf() }, {}],
])('%s', (_name, attachment, list, parts, expected) => {
  const { lost, unfinished } = findDrift([attachment], list, cachesWith(attachment, parts), traits);
  expect({ lost, unfinished }).toEqual({ lost: [], unfinished: [], ...expected });
});

test('what changed while the driver was asked is not compared with an old list', () => {
  const now = attachmentOf({ status: attached, metadata: { resourceVersion: '2' } });
  expect(findDrift([attachmentOf({ status: attached })], nothing, cachesWith(now, whole), traits)).toEqual({
    lost: [],
    unfinished: [],
  });
});
