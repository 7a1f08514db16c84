import { describe, expect, test } from 'vitest';
import { annotations } from './names.ts';
import { attachedPatch, detachedPatch, errorPatch, holdPatch } from './patches.ts';
import { attachmentOf, FINALIZER } from './testing/objects.ts';

const uid = 'uid-va-1';
const sameVersion = { op: 'test', path: '/metadata/resourceVersion', value: '1' };
const sameObject = { op: 'test', path: '/metadata/uid', value: uid };

describe('holdPatch', () => {
  test('a new VolumeAttachment gets finalizer and node id in one patch, guarded by the version that had neither', () => {
    expect(
      holdPatch(attachmentOf(), FINALIZER, { [annotations.nodeId]: 'n', [annotations.publishSecret]: undefined }),
    ).toEqual({
      kind: 'json',
      operations: [
        sameVersion,
        sameVersion,
        { op: 'add', path: '/metadata/finalizers', value: [FINALIZER] },
        { op: 'add', path: '/metadata/annotations', value: { [annotations.nodeId]: 'n' } },
      ],
    });
  });

  test("others' finalizers and annotations are left alone", () => {
    const attachment = attachmentOf({ metadata: { finalizers: ['x'], annotations: { y: 'z' } } });
    expect(holdPatch(attachment, FINALIZER, { [annotations.nodeId]: 'n' })).toEqual({
      kind: 'json',
      operations: [
        sameObject,
        sameObject,
        { op: 'test', path: '/metadata/finalizers', value: ['x'] },
        { op: 'add', path: '/metadata/finalizers/-', value: FINALIZER },
        { op: 'add', path: '/metadata/annotations/csi.alpha.kubernetes.io~1node-id', value: 'n' },
      ],
    });
  });

  test('a node id that has changed is written, one that has not costs nothing', () => {
    const metadata = { finalizers: [FINALIZER], annotations: { [annotations.nodeId]: 'old' } };
    expect(holdPatch(attachmentOf({ metadata }), FINALIZER, { [annotations.nodeId]: 'new' })).toMatchObject({
      operations: [{}, { value: 'new' }],
    });
    expect(holdPatch(attachmentOf({ metadata }), FINALIZER, { [annotations.nodeId]: 'old' })).toBeUndefined();
  });

  test('a secret that the volume no longer names is not kept', () => {
    const metadata = { finalizers: [FINALIZER], annotations: { [annotations.publishSecret]: 'ns/name' } };
    expect(holdPatch(attachmentOf({ metadata }), FINALIZER, { [annotations.publishSecret]: undefined })).toMatchObject({
      operations: [sameObject, { op: 'remove', path: '/metadata/annotations/attacher.csi.holdfast~1publish-secret' }],
    });
  });
});

describe('status patches', () => {
  test('attached carries the publish context and clears an error', () => {
    const attachment = attachmentOf({ status: { attached: false, attachError: { message: 'no' } } });
    expect(attachedPatch(attachment, { lun: '3' })).toEqual({
      kind: 'merge',
      body: { metadata: { uid }, status: { attached: true, attachError: null, attachmentMetadata: { lun: '3' } } },
    });
  });

  test('a publish context that lost a key loses it in the status', () => {
    const attachment = attachmentOf({ status: { attached: true, attachmentMetadata: { lun: '3', old: 'x' } } });
    expect(attachedPatch(attachment, { lun: '3' })).toMatchObject({
      body: { status: { attachmentMetadata: { lun: '3', old: null } } },
    });
  });

  test('what the status says already is not written again', () => {
    expect(attachedPatch(attachmentOf({ status: { attached: true } }), {})).toBeUndefined();
    const metadata = { lun: '3' };
    expect(
      attachedPatch(attachmentOf({ status: { attached: true, attachmentMetadata: metadata } }), metadata),
    ).toBeUndefined();
    expect(detachedPatch(attachmentOf())).toBeUndefined();
  });

  test('the same error is not written again, another one is', () => {
    const time = '2026-01-01T00:00:00Z';
    const attachment = attachmentOf({
      status: { attached: false, attachError: { message: 'no', errorCode: 13, time } },
    });
    const later = '2026-01-01T00:01:00Z';
    expect(errorPatch(attachment, 'attachError', { message: 'no', errorCode: 13, time: later })).toBeUndefined();
    expect(errorPatch(attachment, 'attachError', { message: 'no', errorCode: 8, time: later })).toBeDefined();
    expect(errorPatch(attachment, 'attachError', { message: 'missing', time: later })).toEqual({
      kind: 'merge',
      body: { metadata: { uid }, status: { attachError: { message: 'missing', errorCode: null, time: later } } },
    });
    expect(errorPatch(attachment, 'detachError', { message: 'no', time: later })).toBeDefined();
  });
});
