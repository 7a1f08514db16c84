import { persistentVolumes, volumeAttachments } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { createTestFence } from '@holdfast/sandbox/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { annotations, VOLUME_FINALIZER } from './names.ts';
import { type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.stop());

async function eventually(check: () => Promise<void> | void): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000, interval: 10 });
}

/** A provisioned volume whose claim is gone, as kube-controller-manager leaves it. */
async function releasedVolume(reclaimPolicy = 'Delete'): Promise<string> {
  await rig.createClass({ reclaimPolicy });
  const claim = await rig.createClaim('data');
  const name = `pvc-${claim.metadata.uid}`;
  await eventually(async () => expect((await rig.eventsOf('data')).join()).toContain('Succeeded'));
  await rig.deleteClaim('data');
  rig.cluster.requests.length = 0;
  await rig.release(name);
  return name;
}

/** The object was deleted, and at most others hold it. */
async function objectDeleted(name: string): Promise<void> {
  await eventually(async () => {
    const volume = await rig.volume(name);
    expect(volume === undefined || volume.metadata.deletionTimestamp !== undefined).toBe(true);
    expect(volume?.metadata.finalizers ?? []).not.toContain(VOLUME_FINALIZER);
  });
}

async function attach(volumeName: string): Promise<void> {
  await rig.cluster.client.create(volumeAttachments, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name: 'va' },
    spec: { attacher: rig.driver.name, nodeName: 'node-1', source: { persistentVolumeName: volumeName } },
  });
}

describe('a released volume', () => {
  it('is deleted with one call and two writes', async () => {
    await rig.start();
    const name = await releasedVolume();
    await objectDeleted(name);

    // A second volume's whole life shows that the first one's last events brought no further call or write.
    await rig.createClaim('next');
    await eventually(async () => expect((await rig.eventsOf('next')).join()).toContain('Succeeded'));
    expect(rig.writes()).toEqual([
      'patch persistentvolumes',
      'delete persistentvolumes',
      'create persistentvolumes',
      'create events',
    ]);
    expect(rig.driver.callsOf('DeleteVolume').map(({ request }) => request)).toEqual([
      { volumeId: `vol-${name}`, secrets: {} },
    ]);
    expect(await rig.eventsOf(name)).toEqual([]);
  });

  it('takes csi-attacher’s finalizer along', async () => {
    await rig.cluster.apply({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: rig.driver.name },
      spec: { attachRequired: true },
    });
    await rig.start();
    const name = await releasedVolume();
    await eventually(async () => {
      const finalizers = (await rig.volume(name))?.metadata.finalizers ?? [];
      expect(finalizers.filter((finalizer) => finalizer.startsWith('external-'))).toEqual([]);
    });
    await eventually(() => expect(rig.writes()).toEqual(['patch persistentvolumes', 'delete persistentvolumes']));
  });

  it('is kept while an attachment names it, and deleted when the last one goes, without waiting for a timer', async () => {
    await rig.start('--retry-interval-start=1h');
    await rig.createClass();
    const claim = await rig.createClaim('data');
    const name = `pvc-${claim.metadata.uid}`;
    await eventually(async () => expect(await rig.volume(name)).toBeDefined());
    await attach(name);
    // Through the same watches as the attachment: once this is provisioned after the release, the release has been looked at.
    await rig.release(name);
    await rig.createClaim('next');
    await eventually(async () => expect((await rig.eventsOf('next')).join()).toContain('Succeeded'));
    expect(rig.driver.callsOf('DeleteVolume')).toEqual([]);

    await rig.cluster.client.delete(volumeAttachments, { name: 'va' });
    await eventually(() => expect(rig.driver.callsOf('DeleteVolume')).toHaveLength(1));
    expect(await rig.eventsOf(name)).toEqual([]);
  });

  it('is retained when its class says so', async () => {
    await rig.start();
    const name = await releasedVolume('Retain');
    await rig.createClaim('next');
    await eventually(async () => expect((await rig.eventsOf('next')).join()).toContain('Succeeded'));
    const volume = await rig.volume(name);
    expect(volume?.metadata.deletionTimestamp).toBeUndefined();
    expect(volume?.metadata.finalizers ?? []).not.toContain(VOLUME_FINALIZER);
    expect(rig.driver.callsOf('DeleteVolume')).toEqual([]);
    expect(rig.writes()).toEqual(['create persistentvolumes', 'create events']);
  });

  it('is retained when the administrator decided so after the cache last heard of it', async () => {
    await rig.start();
    await rig.createClass();
    const claim = await rig.createClaim('data');
    const name = `pvc-${claim.metadata.uid}`;
    await eventually(async () => expect((await rig.eventsOf('data')).join()).toContain('Succeeded'));
    let isRetained = false;
    rig.cluster.intercept(async ({ verb, resource, userAgent }) => {
      if (verb !== 'get' || resource !== 'persistentvolumes' || !userAgent.startsWith('csi-provisioner') || isRetained)
        return undefined;
      isRetained = true;
      const body = { spec: { persistentVolumeReclaimPolicy: 'Retain' } };
      await rig.cluster.client.patch(persistentVolumes, { name }, { kind: 'merge', body });
      return undefined;
    });
    await rig.release(name);
    await eventually(async () =>
      expect((await rig.volume(name))?.metadata.finalizers ?? []).not.toContain(VOLUME_FINALIZER),
    );
    expect(isRetained).toBe(true);
    expect(rig.driver.callsOf('DeleteVolume')).toEqual([]);
  });

  it('has an event that says why it cannot be deleted, and is tried again', async () => {
    const removeHandler = rig.driver.on('DeleteVolume', async () => {
      throw rpcError('FailedPrecondition', 'a snapshot depends on it');
    });
    await rig.start();
    const name = await releasedVolume();
    await eventually(async () => {
      expect(await rig.eventsOf(name)).toEqual([
        'Warning VolumeFailedDelete rpc error: code = FailedPrecondition desc = a snapshot depends on it',
      ]);
    });
    removeHandler();
    await eventually(() => expect(rig.driver.volumes.size).toBe(0));
  });

  it('is done with when the driver says that there is no such volume, which the log tells', async () => {
    rig.driver.on('DeleteVolume', async () => {
      throw rpcError('NotFound', 'no such disk');
    });
    await rig.start();
    const name = await releasedVolume();
    await objectDeleted(name);
    expect(rig.driver.callsOf('DeleteVolume')).toHaveLength(1);
    expect(await rig.eventsOf(name)).toEqual([]);
    expect(rig.log.lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: expect.stringContaining('does not know the volume'),
        fields: expect.objectContaining({ volume: name, volumeId: `vol-${name}` }),
      }),
    );
  });

  it('that others hold is deleted from the driver once, whatever they write meanwhile', async () => {
    await rig.start();
    await rig.createClass();
    const claim = await rig.createClaim('data');
    const name = `pvc-${claim.metadata.uid}`;
    await eventually(async () => expect((await rig.eventsOf('data')).join()).toContain('Succeeded'));
    await rig.deleteClaim('data');
    const change = (metadata: object) =>
      rig.cluster.client.patch(persistentVolumes, { name }, { kind: 'merge', body: { metadata } });
    await change({ finalizers: [VOLUME_FINALIZER, 'others.example/hold'] });
    await rig.release(name);
    await objectDeleted(name);
    for (const value of ['1', '2', '3']) await change({ labels: { turn: value } });
    await rig.cluster.client.delete(persistentVolumes, { name });
    // Provisioned through the same watch, after all that.
    await rig.createClaim('next');
    await eventually(async () => expect((await rig.eventsOf('next')).join()).toContain('Succeeded'));
    expect((await rig.volume(name))?.metadata.finalizers).toContain('others.example/hold');
    expect(rig.driver.callsOf('DeleteVolume')).toHaveLength(1);
  });

  it('is deleted from the driver once, however often the API server refuses the rest', async () => {
    let refusals = 0;
    rig.cluster.intercept(({ verb, resource, userAgent }) => {
      const isRest = ['patch', 'delete'].includes(verb) && resource === 'persistentvolumes';
      if (!isRest || !userAgent.startsWith('csi-provisioner') || refusals === 4) return undefined;
      refusals += 1;
      return { status: 500, body: { kind: 'Status', code: 500, reason: 'InternalError', message: 'etcd is away' } };
    });
    await rig.start();
    const name = await releasedVolume();
    await objectDeleted(name);
    expect(refusals).toBe(4);
    expect(rig.driver.callsOf('DeleteVolume')).toHaveLength(1);
    expect(await rig.eventsOf(name)).toEqual([]);
  });

  it('is deleted by the successor when the provisioner ends between call and object', async () => {
    const removeRefusal = rig.cluster.intercept(({ verb, resource, userAgent }) =>
      verb === 'delete' && resource === 'persistentvolumes' && userAgent.startsWith('csi-provisioner')
        ? { status: 503, body: { kind: 'Status', code: 503, reason: 'ServiceUnavailable', message: 'away' } }
        : undefined,
    );
    await rig.start();
    const name = await releasedVolume();
    await eventually(() => expect(rig.writes()).toContain('delete persistentvolumes'));
    await rig.stopController();
    removeRefusal();
    await rig.start();
    await objectDeleted(name);
  });

  it('that its user deleted while it was bound goes once it is released', async () => {
    await rig.start();
    await rig.createClass();
    const claim = await rig.createClaim('data');
    const name = `pvc-${claim.metadata.uid}`;
    await eventually(async () => expect(await rig.volume(name)).toBeDefined());
    await rig.cluster.client.delete(persistentVolumes, { name });
    await eventually(async () => expect((await rig.volume(name))?.metadata.finalizers).toContain(VOLUME_FINALIZER));
    expect(rig.driver.callsOf('DeleteVolume')).toEqual([]);
    await rig.release(name);
    await eventually(() => expect(rig.driver.volumes.size).toBe(0));
    await eventually(async () =>
      expect((await rig.volume(name))?.metadata.finalizers ?? []).not.toContain(VOLUME_FINALIZER),
    );
  });

  it('uses the secret its annotations name, and goes on without one that is gone', async () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'default' } };
    await rig.cluster.apply({ ...secret, data: { key: Buffer.from('value-1').toString('base64') } });
    await rig.start();
    for (const [id, name] of [
      ['v1', 's'],
      ['v2', 'gone'],
    ]) {
      const volume = {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: {
          name: id,
          annotations: {
            [annotations.provisionedBy]: rig.driver.name,
            [annotations.deletionSecretName]: name,
            [annotations.deletionSecretNamespace]: 'default',
          },
        },
        spec: {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteOnce'],
          persistentVolumeReclaimPolicy: 'Delete',
          csi: { driver: rig.driver.name, volumeHandle: id },
        },
      };
      await rig.cluster.apply(volume);
      await rig.release(id ?? '');
    }
    await eventually(() => expect(rig.driver.callsOf('DeleteVolume')).toHaveLength(2));
    const requests = rig.driver.callsOf('DeleteVolume').map(({ request }) => request);
    expect(requests).toContainEqual({ volumeId: 'v1', secrets: { key: 'value-1' } });
    expect(requests).toContainEqual({ volumeId: 'v2', secrets: {} });
    await eventually(async () =>
      expect((await rig.eventsOf('v2')).join()).toContain(
        'Secret "default/gone", which PersistentVolume "v2" names, does not exist',
      ),
    );
  });
});

it('a volume written by hand and to be retained is touched at no time, nor when its object goes', async () => {
  await rig.start();
  await rig.createClass();
  const id = rig.driver.addVolume('precious');
  await rig.cluster.apply({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'static' },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      csi: { driver: rig.driver.name, volumeHandle: id },
    },
  });
  const turnTo = (phase: string) =>
    rig.cluster.client.patch(
      persistentVolumes,
      { name: 'static' },
      { kind: 'merge', body: { status: { phase } } },
      { subresource: 'status' },
    );
  for (const phase of ['Available', 'Bound', 'Released']) {
    await turnTo(phase);
    // Each phase has been seen by the time a claim is provisioned after it.
    await rig.createClaim(`after-${phase.toLowerCase()}`);
    await eventually(async () =>
      expect((await rig.eventsOf(`after-${phase.toLowerCase()}`)).join()).toContain('Succeeded'),
    );
  }
  await rig.deleteVolume('static');
  await rig.createClaim('next');
  await eventually(async () => expect((await rig.eventsOf('next')).join()).toContain('Succeeded'));
  expect(rig.driver.callsOf('DeleteVolume')).toEqual([]);
  expect(rig.driver.volumes.has(id)).toBe(true);
  expect(rig.writes().filter((write) => !write.startsWith('create '))).toEqual([]);
});

describe('a bound volume', () => {
  it('written by hand for our driver gets the finalizer, and loses it when it is to be retained', async () => {
    await rig.start();
    await rig.cluster.apply({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'static' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Delete',
        csi: { driver: rig.driver.name, volumeHandle: 'static-1' },
      },
    });
    const { client } = rig.cluster;
    await client.patch(
      persistentVolumes,
      { name: 'static' },
      { kind: 'merge', body: { status: { phase: 'Bound' } } },
      { subresource: 'status' },
    );
    await eventually(async () => expect((await rig.volume('static'))?.metadata.finalizers).toContain(VOLUME_FINALIZER));
    await client.patch(
      persistentVolumes,
      { name: 'static' },
      { kind: 'merge', body: { spec: { persistentVolumeReclaimPolicy: 'Retain' } } },
    );
    await eventually(async () =>
      expect((await rig.volume('static'))?.metadata.finalizers ?? []).not.toContain(VOLUME_FINALIZER),
    );
    expect(rig.writes()).toEqual(['patch persistentvolumes', 'patch persistentvolumes']);
  });
});

it('a deposed leader deletes nothing, and tells nobody', async () => {
  const fence = createTestFence(true);
  await rig.startFenced(fence);
  // Lost after the last look at the volume, before the call.
  const back = rig.cluster.intercept(({ verb, resource }) => {
    if (verb === 'get' && resource === 'persistentvolumes') fence.isHeld = false;
    return undefined;
  });
  const name = await releasedVolume();
  await eventually(() => expect(fence.counts.refusals).toBeGreaterThanOrEqual(3));
  expect(rig.driver.callsOf('DeleteVolume')).toEqual([]);
  expect(rig.writes()).toEqual([]);
  back();
  fence.isHeld = true;
  await objectDeleted(name);
});
