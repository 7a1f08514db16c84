import type { Node, PersistentVolume, Pod, VolumeAttachment } from '@holdfast/kube';
import { describe, expect, it } from 'vitest';
import { decideNode, type NodeView, type WantedVolume } from './decide.ts';
import { attachmentName, uniqueVolumeName } from './names.ts';

const meta = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const unique = uniqueVolumeName('disk.test', 'h');

function attachment(nodeName: string, options: { attached?: boolean; isLeaving?: boolean } = {}): VolumeAttachment {
  const leaving = options.isLeaving === true ? { deletionTimestamp: '2026-01-02T00:00:00Z' } : {};
  return {
    metadata: { ...meta, ...leaving, name: attachmentName('h', 'disk.test', nodeName) },
    spec: { attacher: 'disk.test', nodeName, source: { persistentVolumeName: 'pv' } },
    status: { attached: options.attached ?? true },
  };
}

function volume(accessModes: string[] = ['ReadWriteOnce']): PersistentVolume {
  return { metadata: { ...meta, name: 'pv' }, spec: { accessModes } };
}

const pod = (name: string): Pod => ({ metadata: { ...meta, name } });
const node = (ready = 'True', taint = ''): Node => ({
  metadata: { ...meta, name: 'a' },
  spec: { taints: taint === '' ? [] : [{ key: taint, effect: 'NoExecute' }] },
  status: { conditions: [{ type: 'Ready', status: ready }] },
});

function wanted(options: Partial<WantedVolume> = {}): WantedVolume {
  return {
    volume: volume(),
    driver: 'disk.test',
    handle: 'h',
    pods: [pod('web')],
    attachments: [],
    podsElsewhere: [],
    ...options,
  };
}

const decide = (view: Partial<NodeView>) =>
  decideNode({
    nodeName: 'a',
    node: node(),
    volumesInUse: [],
    wanted: [],
    present: [],
    maxWaitForUnmountMs: 360_000,
    ...view,
  });

describe('the attachments of a node', () => {
  it('are named as kube-controller-manager names them', () => {
    // printf 'hdisk.testa' | sha256sum
    expect(attachmentName('h', 'disk.test', 'a')).toBe(
      'csi-cae0d3ffe0fd8c153f9c9d6d4e63bda97065c09b268012947a47bead2a320da3',
    );
  });

  it('are made for what pods want', () => {
    const plan = decide({ wanted: [wanted()] });
    expect(plan.attach).toHaveLength(1);
    expect(plan.volumesAttached).toEqual([]);
  });

  it('stay while wanted, and are told to kubelet once attached', () => {
    const there = { attachment: attachment('a'), uniqueName: unique, unwantedMs: 0 };
    const plan = decide({ wanted: [wanted()], present: [there] });
    expect(plan).toMatchObject({ attach: [], detach: [], volumesAttached: [{ name: unique, devicePath: '' }] });
    const pending = { attachment: attachment('a', { attached: false }), uniqueName: unique, unwantedMs: 0 };
    expect(decide({ wanted: [wanted()], present: [pending] }).volumesAttached).toEqual([]);
  });

  it('stay while kubelet has the volume in use, and go after', () => {
    const present = [{ attachment: attachment('a'), uniqueName: unique, unwantedMs: 0 }];
    expect(decide({ present, volumesInUse: [unique] })).toMatchObject({
      detach: [],
      volumesAttached: [{ name: unique }],
    });
    const plan = decide({ present });
    expect(plan.detach).toHaveLength(1);
    // Kubelet hears of it before the attachment goes.
    expect(plan.volumesAttached).toEqual([]);
  });

  it('stay on a node that lives for as long as the volume is mounted', () => {
    const present = [{ attachment: attachment('a'), uniqueName: unique, unwantedMs: 999_000 }];
    const plan = decide({ present, volumesInUse: [unique] });
    expect(plan).toMatchObject({ detach: [], recheckAfterMs: undefined });
  });

  it.each([
    ['is not ready', node('Unknown'), [unique]],
    ['is gone', undefined, [unique]],
    ['is gone without a word', undefined, undefined],
  ])('of a volume mounted on a node that %s are given their time to unmount, and no more', (_what, view, inUse) => {
    const waiting = (unwantedMs: number) => [{ attachment: attachment('a'), uniqueName: unique, unwantedMs }];
    const early = decide({ node: view, volumesInUse: inUse, present: waiting(359_000) });
    expect(early).toMatchObject({ detach: [], recheckAfterMs: 1_000, volumesAttached: [{ name: unique }] });
    const late = decide({ node: view, volumesInUse: inUse, present: waiting(360_000) });
    expect(late).toMatchObject({ recheckAfterMs: undefined, volumesAttached: [] });
    expect(late.detach).toHaveLength(1);
  });

  it('go at once from a node that is gone and had the volume unmounted', () => {
    const present = [{ attachment: attachment('a'), uniqueName: unique, unwantedMs: 0 }];
    expect(decide({ present, node: undefined, volumesInUse: [] }).detach).toHaveLength(1);
  });

  it('go at once from a node that is out of service, unless a pod there wants the volume', () => {
    const present = [{ attachment: attachment('a'), uniqueName: unique, unwantedMs: 0 }];
    const off = node('Unknown', 'node.kubernetes.io/out-of-service');
    expect(decide({ present, node: off, volumesInUse: [unique] }).detach).toHaveLength(1);
    expect(decide({ present, node: off, volumesInUse: [unique], wanted: [wanted()] }).detach).toEqual([]);
  });

  it('that are leaving are neither deleted again nor made anew at once', () => {
    const present = [{ attachment: attachment('a', { isLeaving: true }), uniqueName: unique, unwantedMs: 0 }];
    expect(decide({ present })).toMatchObject({ detach: [], volumesAttached: [] });
    expect(decide({ present, wanted: [wanted()] })).toMatchObject({ attach: [], detach: [] });
  });

  it('wait for another node to let go of a volume for one node', () => {
    const attachments = [attachment('b')];
    const plan = decide({ wanted: [wanted({ attachments, podsElsewhere: [pod('old')] })] });
    expect(plan.attach).toEqual([]);
    expect(plan.blocked[0]?.message).toBe('Multi-Attach error for volume "pv" Volume is already used by pod(s) old');
    const idle = decide({ wanted: [wanted({ attachments })] });
    expect(idle.blocked[0]?.message).toMatch(/exclusively attached to one node \(b\)/);
  });

  it('may be several for a volume that many nodes share', () => {
    const shared = wanted({ attachments: [attachment('b')], volume: volume(['ReadWriteMany']) });
    expect(decide({ wanted: [shared] }).attach).toHaveLength(1);
  });
});
