import { persistentVolumes, secrets, volumeAttachments } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { createTestFence } from '@holdfast/sandbox/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { annotations } from './names.ts';
import { FINALIZER } from './testing/objects.ts';
import { eventually, type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
afterEach(() => rig.stop());

const publishes = () => rig.driver.callsOf('ControllerPublishVolume');
const unpublishes = () => rig.driver.callsOf('ControllerUnpublishVolume');
const finalizersOf = async (name: string) =>
  (await rig.cluster.client.get(persistentVolumes, { name })).metadata.finalizers ?? [];

describe('attach and detach', () => {
  beforeEach(async () => {
    rig = await startRig();
    await rig.addNode('node-1');
  });

  test('an attach is one publish and three writes, two when the volume has the finalizer; a detach is one and one', async () => {
    await rig.addVolume('pv-1');
    await rig.start();
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    const attached = await rig.untilAttached('va-1');
    expect(attached.metadata.finalizers).toEqual([FINALIZER]);
    expect(attached.metadata.annotations).toEqual({
      [annotations.nodeId]: 'id-of-node-1',
      [annotations.volumeHandle]: 'vol-pv-1',
    });
    expect(await finalizersOf('pv-1')).toContain(FINALIZER);
    expect(rig.writes()).toEqual([
      'patch persistentvolumes',
      'patch volumeattachments',
      'patch volumeattachments/status',
    ]);

    rig.cluster.requests.length = 0;
    await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
    await rig.untilGone('va-1');
    await eventually(() => expect(rig.log.lines.map(({ message }) => message)).toContain('Detached'));

    await rig.addAttachment('va-2', 'pv-1', 'node-1');
    await rig.untilAttached('va-2');
    expect(rig.writes()).toEqual([
      'patch volumeattachments',
      'patch volumeattachments',
      'patch volumeattachments/status',
    ]);
    expect(publishes()).toHaveLength(2);
    expect(unpublishes().map(({ request }) => request)).toEqual([
      { volumeId: 'vol-pv-1', nodeId: 'id-of-node-1', secrets: {} },
    ]);
  });

  test('the publish context and the secret take their way; the secret stays out of the logs and the API', async () => {
    await rig.cluster.client.create(secrets, {
      metadata: { name: 'keys', namespace: 'default' },
      data: { password: Buffer.from('hunter2-hunter2').toString('base64') },
    });
    await rig.addVolume('pv-1', {
      csi: {
        controllerPublishSecretRef: { name: 'keys', namespace: 'default' },
        volumeAttributes: { pool: 'a' },
        readOnly: true,
      },
    });
    rig.driver.on('ControllerPublishVolume', () => Promise.resolve({ publishContext: { lun: '7' } }));
    await rig.start();
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    expect((await rig.untilAttached('va-1')).status?.attachmentMetadata).toEqual({ lun: '7' });
    expect(publishes()[0]?.request).toMatchObject({
      volumeId: 'vol-pv-1',
      nodeId: 'id-of-node-1',
      secrets: { password: 'hunter2-hunter2' },
      volumeContext: { pool: 'a' },
      readonly: false,
    });
    expect(JSON.stringify(rig.log.lines)).not.toContain('hunter2');
  });

  test('a failure is told once, tried again, and cleared by success', async () => {
    await rig.addVolume('pv-1');
    let failures = 0;
    const recover = rig.driver.on('ControllerPublishVolume', () => {
      failures += 1;
      return Promise.reject(rpcError('ResourceExhausted', 'no free slot'));
    });
    await rig.start();
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    expect(await rig.untilError('va-1', 'attachError')).toBe('rpc error: code = ResourceExhausted desc = no free slot');
    expect((await rig.attachment('va-1'))?.status?.attachError).toMatchObject({
      errorCode: 8,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    await eventually(() => expect(failures).toBeGreaterThanOrEqual(4));
    expect(rig.writes().filter((write) => write === 'patch volumeattachments/status')).toHaveLength(1);
    recover();
    expect((await rig.untilAttached('va-1')).status?.attachError).toBeUndefined();
  });

  test('what we write ourselves does not cut the back-off short; what others write does', async () => {
    await rig.addVolume('pv-1');
    await rig.addVolume('pv-2');
    rig.driver.on('ControllerPublishVolume', () => Promise.reject(rpcError('Internal', `call ${publishes().length}`)));
    // With one worker and keys in order, a wrong second try of va-1 would come before va-2.
    await rig.start('--worker-threads=1', '--retry-interval-start=1m', '--retry-interval-max=1m');
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    await rig.untilError('va-1', 'attachError');
    await rig.addAttachment('va-2', 'pv-2', 'node-1');
    await rig.untilError('va-2', 'attachError');
    const volumeIds = () =>
      publishes()
        .map(({ request }) => request)
        .map((sent) => (sent instanceof Object && 'volumeId' in sent ? sent.volumeId : ''));
    expect(volumeIds()).toEqual(['vol-pv-1', 'vol-pv-2']);

    const label = { kind: 'merge' as const, body: { metadata: { labels: { a: 'b' } } } };
    await rig.cluster.client.patch(volumeAttachments, { name: 'va-1' }, label);
    await eventually(() => expect(volumeIds()).toEqual(['vol-pv-1', 'vol-pv-2', 'vol-pv-1']));
  });

  test('after a failed publish a delete still unpublishes, even when the code was final', async () => {
    await rig.addVolume('pv-1');
    rig.driver.on('ControllerPublishVolume', () => Promise.reject(rpcError('InvalidArgument', 'bad')));
    await rig.start();
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    await rig.untilError('va-1', 'attachError');
    await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
    await rig.untilGone('va-1');
    expect(unpublishes()).toHaveLength(1);
  });

  test('NotFound from an unpublish is an error, and the finalizer stays', async () => {
    await rig.addVolume('pv-1');
    await rig.start();
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    await rig.untilAttached('va-1');
    const recover = rig.driver.on('ControllerUnpublishVolume', () =>
      Promise.reject(rpcError('NotFound', 'no such node')),
    );
    await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
    expect(await rig.untilError('va-1', 'detachError')).toBe('rpc error: code = NotFound desc = no such node');
    expect((await rig.attachment('va-1'))?.metadata.finalizers).toEqual([FINALIZER]);
    recover();
    await rig.untilGone('va-1');
  });

  test("another's finalizer keeps the object: it is marked detached after ours is gone", async () => {
    await rig.addVolume('pv-1');
    await rig.start();
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    await rig.untilAttached('va-1');
    const other = {
      kind: 'json' as const,
      operations: [{ op: 'add' as const, path: '/metadata/finalizers/-', value: 'a.example/b' }],
    };
    await rig.cluster.client.patch(volumeAttachments, { name: 'va-1' }, other);
    await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
    await eventually(async () => {
      const left = await rig.attachment('va-1');
      expect(left?.metadata.finalizers).toEqual(['a.example/b']);
      expect(left?.status?.attached).toBe(false);
    });
    expect(unpublishes()).toHaveLength(1);
  });

  test('the finalizer of a deleted volume goes with its last VolumeAttachment', async () => {
    await rig.addVolume('pv-1');
    await rig.start();
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    await rig.untilAttached('va-1');
    await rig.cluster.client.delete(persistentVolumes, { name: 'pv-1' });
    expect(await finalizersOf('pv-1')).toContain(FINALIZER);
    await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
    await rig.untilGone('va-1');
    await eventually(async () => {
      const { items } = await rig.cluster.client.list(persistentVolumes);
      expect(items.flatMap(({ metadata }) => metadata.finalizers ?? [])).not.toContain(FINALIZER);
    });
    expect(unpublishes()).toHaveLength(1);
  });

  test("a volume is released in one write, also when others' finalizers go at the same moment", async () => {
    const { client } = rig.cluster;
    await rig.addVolume('pv-1', { finalizers: ['a.example/b', FINALIZER, 'c.example/d'] });
    await rig.start();
    const removal = { kind: 'json' as const, operations: [{ op: 'remove' as const, path: '/metadata/finalizers/0' }] };
    let isFirst = true;
    rig.cluster.intercept(async ({ method, resource, userAgent }) => {
      if (!isFirst || method !== 'PATCH' || resource !== 'persistentvolumes' || userAgent !== rig.userAgent) return;
      isFirst = false;
      await client.patch(persistentVolumes, { name: 'pv-1' }, removal);
    });
    await client.delete(persistentVolumes, { name: 'pv-1' });
    await eventually(async () => expect(await finalizersOf('pv-1')).not.toContain(FINALIZER));
    expect(await finalizersOf('pv-1')).toContain('c.example/d');
    expect(rig.writes()).toEqual(['patch persistentvolumes']);
  });

  test('work left by a former process is taken up: one to attach, one to detach', async () => {
    await rig.addVolume('pv-1');
    await rig.addVolume('pv-2');
    await rig.start();
    await rig.addAttachment('va-2', 'pv-2', 'node-1');
    await rig.untilAttached('va-2');
    await rig.stopController();
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    await rig.cluster.client.delete(volumeAttachments, { name: 'va-2' });
    await rig.start();
    await rig.untilAttached('va-1');
    await rig.untilGone('va-2');
  });

  test("other drivers' VolumeAttachments are left alone", async () => {
    await rig.addVolume('pv-1');
    await rig.start();
    const spec = { attacher: 'other.example', nodeName: 'node-1', source: { persistentVolumeName: 'pv-1' } };
    await rig.cluster.client.create(volumeAttachments, { metadata: { name: 'foreign' }, spec });
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    await rig.untilAttached('va-1');
    expect((await rig.attachment('foreign'))?.status?.attached ?? false).toBe(false);
    expect(publishes()).toHaveLength(1);
  });
});

test.each<[string, object, string]>([
  ['of no CSI driver', { csi: null, hostPath: { path: '/srv' } }, 'has no csi source'],
  ['of another driver', { csi: { driver: 'other.example', volumeHandle: 'v' } }, 'belongs to driver "other.example"'],
])(
  'a VolumeAttachment of a volume that is %s is told so once, however often it is looked at',
  async (_, spec, text) => {
    rig = await startRig();
    await rig.addNode('node-1');
    await rig.cluster.client.create(persistentVolumes, {
      metadata: { name: 'pv-1' },
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], ...spec },
    });
    await rig.start();
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    expect(await rig.untilError('va-1', 'attachError')).toContain(text);
    const failures = () => rig.log.lines.filter(({ message }) => message === 'Reconcile failed, will retry');
    await eventually(() => expect(failures().length).toBeGreaterThanOrEqual(4));
    expect(rig.writes()).toEqual(['patch volumeattachments/status']);
    expect(publishes()).toEqual([]);
    await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
    await rig.untilGone('va-1');
  },
);

test('a VolumeAttachment with both sources or none is refused by the API server, before anyone sees it', async () => {
  rig = await startRig();
  const spec = { attacher: rig.driver.name, nodeName: 'node-1' };
  const inlineVolumeSpec = { csi: { driver: rig.driver.name, volumeHandle: 'v' }, accessModes: ['ReadWriteOnce'] };
  for (const source of [{ persistentVolumeName: 'pv-1', inlineVolumeSpec }, {}]) {
    const made = rig.cluster.client.create(volumeAttachments, {
      metadata: { name: 'va-1' },
      spec: { ...spec, source },
    });
    await expect(made).rejects.toThrow('exactly one of inlineVolumeSpec and persistentVolumeName');
  }
});

test('a shared volume attached to two nodes at once gets its finalizer once', async () => {
  rig = await startRig();
  await rig.addNode('node-1');
  await rig.addNode('node-2');
  await rig.addVolume('pv-1', { finalizers: ['a.example/b'], spec: { accessModes: ['ReadWriteMany'] } });
  await rig.addAttachment('va-1', 'pv-1', 'node-1');
  await rig.addAttachment('va-2', 'pv-1', 'node-2');
  await rig.start();
  await rig.untilAttached('va-1');
  await rig.untilAttached('va-2');
  expect((await finalizersOf('pv-1')).filter((name) => name === FINALIZER)).toHaveLength(1);
  expect(rig.writes()).toHaveLength(5);
});

test('without the lease nothing is written and nothing is called', async () => {
  rig = await startRig();
  await rig.addNode('node-1');
  await rig.addVolume('pv-1');
  await rig.addAttachment('va-1', 'pv-1', 'node-1');
  const fence = createTestFence(true);
  // Lost between the finalizer and the call.
  rig.cluster.intercept(({ resource, method, subresource }) => {
    if (method === 'PATCH' && resource === 'volumeattachments' && !subresource) fence.isHeld = false;
    return undefined;
  });
  await rig.startFenced(fence);
  const failures = () => rig.log.lines.filter(({ message }) => message === 'Reconcile failed, will retry');
  await eventually(() => expect(failures().length).toBeGreaterThanOrEqual(2));
  expect(publishes()).toHaveLength(0);
  expect(rig.writes()).toEqual(['patch persistentvolumes', 'patch volumeattachments']);
});

test('stopping before the API server has answered is a clean end', async () => {
  rig = await startRig();
  rig.cluster.intercept(({ method }) => (method === 'GET' ? { drop: 'before' } : undefined));
  const started = rig.start();
  await eventually(() => expect(rig.log.lines.map(({ message }) => message)).toContain('List failed'));
  await rig.stopController();
  await expect(started).rejects.toThrow();
});

describe('races with other writers', () => {
  beforeEach(async () => {
    rig = await startRig();
    await rig.addNode('node-1');
    await rig.addVolume('pv-1');
  });

  test('a list of finalizers that changed under a patch is kept; the patch is made anew', async () => {
    await rig.start();
    let isFirst = true;
    rig.cluster.intercept(async ({ resource, method, subresource, userAgent }) => {
      if (!isFirst || method !== 'PATCH' || resource !== 'volumeattachments' || subresource) return undefined;
      if (!userAgent.startsWith('csi-attacher')) return undefined;
      isFirst = false;
      const body = { metadata: { finalizers: ['a.example/b'] } };
      await rig.cluster.client.patch(volumeAttachments, { name: 'va-1' }, { kind: 'merge', body });
      return undefined;
    });
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    const attached = await rig.untilAttached('va-1');
    expect(attached.metadata.finalizers).toEqual(['a.example/b', FINALIZER]);
    expect(publishes()).toHaveLength(1);
    // The race is nobody's fault: it is not told.
    expect(rig.writes().filter((write) => write.endsWith('/status'))).toHaveLength(1);
  });

  test('a reply that is lost after a publish leads to a second publish and the same end', async () => {
    await rig.start();
    let isFirst = true;
    rig.cluster.intercept(({ subresource, userAgent }) => {
      if (!isFirst || subresource !== 'status' || !userAgent.startsWith('csi-attacher')) return undefined;
      isFirst = false;
      return { status: 500, body: { kind: 'Status', code: 500, reason: 'InternalError', message: 'etcd is away' } };
    });
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    expect((await rig.untilAttached('va-1')).status?.attachError).toBeUndefined();
    expect(publishes()).toHaveLength(2);
  });
});

test('without a publish step everything counts as attached, with one write and no call', async () => {
  rig = await startRig({ capabilities: { controller: ['CREATE_DELETE_VOLUME'] } });
  await rig.addVolume('pv-1');
  await rig.start();
  await rig.addAttachment('va-1', 'pv-1', 'no-such-node');
  expect((await rig.untilAttached('va-1')).metadata.finalizers).toBeUndefined();
  await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
  await rig.untilGone('va-1');
  expect(rig.writes()).toEqual(['patch volumeattachments/status']);
  expect([...publishes(), ...unpublishes()]).toEqual([]);
});
