import { persistentVolumeClaims, persistentVolumes, volumeSnapshotContents, volumeSnapshots } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { ifFound } from '@holdfast/sandbox/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CLONE_SOURCE_FINALIZER, SNAPSHOT_SOURCE_FINALIZER } from './names.ts';
import { type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({
    loops: true,
    driver: {
      capabilities: {
        controller: ['CREATE_DELETE_VOLUME', 'CREATE_DELETE_SNAPSHOT', 'CLONE_VOLUME', 'MODIFY_VOLUME'],
      },
    },
  });
  await rig.createClass();
});
afterEach(() => rig.stop());

async function eventually(check: () => Promise<void> | void): Promise<void> {
  await vi.waitFor(check, { timeout: 15_000, interval: 10 });
}

async function told(name: string, text: string | RegExp): Promise<void> {
  await eventually(async () => expect((await rig.eventsOf(name)).join('\n')).toMatch(text));
}

async function bound(name: string): Promise<void> {
  await eventually(async () => expect((await rig.claim(name))?.status?.phase).toBe('Bound'));
}

const inDefault = (name: string) => ({ name, namespace: 'default' });

/** A snapshot as external-snapshotter leaves it. */
async function snapshot(
  options: {
    namespace?: string;
    driver?: string;
    sourceVolumeMode?: string;
    annotations?: Record<string, string>;
    restoreSize?: string;
  } = {},
): Promise<void> {
  const { namespace = 'default', restoreSize = '1Gi' } = options;
  const { client } = rig.cluster;
  const apiVersion = 'snapshot.storage.k8s.io/v1';
  const made = await client.create(volumeSnapshots, {
    apiVersion,
    kind: 'VolumeSnapshot',
    metadata: { name: 'snap', namespace },
    spec: { source: { volumeSnapshotContentName: 'content' } },
  });
  await client.create(volumeSnapshotContents, {
    apiVersion,
    kind: 'VolumeSnapshotContent',
    metadata: { name: 'content', annotations: options.annotations ?? {} },
    spec: {
      deletionPolicy: 'Delete',
      driver: options.driver ?? rig.driver.name,
      source: { snapshotHandle: 'handle-1' },
      ...(options.sourceVolumeMode === undefined ? {} : { sourceVolumeMode: options.sourceVolumeMode }),
      volumeSnapshotRef: { name: 'snap', namespace, uid: made.metadata.uid },
    },
  });
  const contentStatus = { status: { readyToUse: true, snapshotHandle: 'handle-1' } };
  const merge = (body: object) => ({ kind: 'merge', body }) as const;
  const status = { subresource: 'status' } as const;
  await client.patch(volumeSnapshotContents, { name: 'content' }, merge(contentStatus), status);
  const ready = { status: { readyToUse: true, boundVolumeSnapshotContentName: 'content', restoreSize } };
  await client.patch(volumeSnapshots, { name: 'snap', namespace }, merge(ready), status);
}

const fromSnapshot = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'snap' };

async function snapshotFinalizers(): Promise<readonly string[]> {
  const found = await ifFound(rig.cluster.client.get(volumeSnapshots, inDefault('snap')));
  return found?.metadata.finalizers ?? [];
}

function contentSources(): unknown[] {
  return rig.driver.callsOf('CreateVolume').map(({ request }) => {
    return typeof request === 'object' && request !== null && 'volumeContentSource' in request
      ? request.volumeContentSource
      : undefined;
  });
}

describe('from a snapshot', () => {
  it('the driver gets its handle, and the snapshot is held until the volume is stored', async () => {
    await snapshot();
    let held: readonly string[] = [];
    rig.driver.around(async ({ method }, proceed) => {
      if (method === 'CreateVolume') held = await snapshotFinalizers();
      return await proceed();
    });
    await rig.start();
    await rig.createClaim('data', { spec: { dataSource: fromSnapshot } });
    await bound('data');
    expect(contentSources()).toEqual([{ type: { $case: 'snapshot', value: { snapshotId: 'handle-1' } } }]);
    expect(held).toContain(SNAPSHOT_SOURCE_FINALIZER);
    await eventually(async () => expect(await snapshotFinalizers()).toEqual([]));
  });

  it('is held by update where the role grants no patch, as the Go sidecar’s does', async () => {
    await snapshot();
    rig.cluster.intercept(({ verb, resource, userAgent }) =>
      verb === 'patch' && resource === 'volumesnapshots' && userAgent.startsWith('csi-provisioner')
        ? { status: 403, body: { kind: 'Status', code: 403, reason: 'Forbidden', message: 'no' } }
        : undefined,
    );
    await rig.start();
    await rig.createClaim('data', { spec: { dataSource: fromSnapshot } });
    await bound('data');
    await eventually(() => {
      expect(rig.writes().filter((write) => write === 'update volumesnapshots')).toHaveLength(2);
    });
    expect(await snapshotFinalizers()).toEqual([]);
  });

  it('waits until the snapshot is there', async () => {
    await rig.start();
    await rig.createClaim('data', { spec: { dataSource: fromSnapshot } });
    await told('data', /VolumeSnapshot default\/snap does not exist/);
    await snapshot();
    await bound('data');
  });

  it.each([
    ['of another driver', { driver: 'other.csi' }, {}, /is of driver other\.csi/],
    ['that is larger', { restoreSize: '2Gi' }, {}, /ask for at least 2Gi/],
    ['of another volume mode', { sourceVolumeMode: 'Block' }, {}, /allow-volume-mode-change/],
  ])('%s is refused', async (_, options, spec, text) => {
    await snapshot(options);
    await rig.start();
    await rig.createClaim('data', { spec: { dataSource: fromSnapshot, ...spec } });
    await told('data', text);
    expect(rig.driver.callsOf('CreateVolume')).toEqual([]);
    expect(await snapshotFinalizers()).toEqual([]);
  });

  it('of another volume mode is taken where the content permits it', async () => {
    await snapshot({
      sourceVolumeMode: 'Block',
      annotations: { 'snapshot.storage.kubernetes.io/allow-volume-mode-change': 'true' },
    });
    await rig.start();
    await rig.createClaim('data', { spec: { dataSource: fromSnapshot } });
    await bound('data');
  });

  it('goes on when the snapshot is deleted while the driver is at it, and then lets it go', async () => {
    await snapshot();
    const called = Promise.withResolvers<void>();
    const back = rig.driver.on('CreateVolume', async () => {
      called.resolve();
      throw rpcError('DeadlineExceeded', 'still copying');
    });
    await rig.start();
    await rig.createClaim('data', { spec: { dataSource: fromSnapshot } });
    await called.promise;
    await rig.cluster.client.delete(volumeSnapshots, inDefault('snap'));
    expect(await snapshotFinalizers()).toContain(SNAPSHOT_SOURCE_FINALIZER);
    back();
    await bound('data');
    await eventually(async () => {
      expect(await ifFound(rig.cluster.client.get(volumeSnapshots, inDefault('snap')))).toBeUndefined();
    });
  });

  it('goes on with the same request when snapshot and claim are gone by force, until its volume can be deleted', async () => {
    await snapshot();
    const called = Promise.withResolvers<void>();
    const back = rig.driver.around(async ({ method }, proceed) => {
      const reply = await proceed();
      if (method !== 'CreateVolume') return reply;
      called.resolve();
      throw rpcError('DeadlineExceeded', 'still copying');
    });
    await rig.start();
    await rig.createClaim('data', { spec: { dataSource: fromSnapshot } });
    await called.promise;
    const { client } = rig.cluster;
    await client.delete(persistentVolumeClaims, inDefault('data'));
    await eventually(async () => expect(await rig.claim('data')).toBeUndefined());
    await client.delete(volumeSnapshots, inDefault('snap'));
    const body = { metadata: { finalizers: null } };
    await client.patch(volumeSnapshots, inDefault('snap'), { kind: 'merge', body });
    await client.delete(volumeSnapshotContents, { name: 'content' });
    const before = rig.driver.callsOf('CreateVolume').length;
    await eventually(() => expect(rig.driver.callsOf('CreateVolume').length).toBeGreaterThan(before + 1));
    expect(rig.driver.callsOf('DeleteVolume')).toEqual([]);
    back();
    await eventually(() => expect(rig.driver.callsOf('DeleteVolume')).toHaveLength(1));
    await eventually(async () => expect(await rig.volumes()).toEqual([]));
    expect(rig.driver.volumes.size).toBe(0);
    for (const source of contentSources()) {
      expect(source).toEqual({ type: { $case: 'snapshot', value: { snapshotId: 'handle-1' } } });
    }
  });

  it('that fails leaves no finalizer for ever: the sweep takes it off', async () => {
    await snapshot();
    const failed = Promise.withResolvers<void>();
    rig.driver.on('CreateVolume', async () => {
      failed.resolve();
      throw rpcError('InvalidArgument', 'never');
    });
    await rig.start('--snapshot-orphan-sweep-interval=20ms');
    await rig.createClaim('data', { spec: { dataSource: fromSnapshot } });
    await failed.promise;
    await told('data', 'never');
    expect(await snapshotFinalizers()).toContain(SNAPSHOT_SOURCE_FINALIZER);
    await rig.deleteClaim('data');
    await eventually(async () => expect(await snapshotFinalizers()).toEqual([]));
  });

  it('a driver that makes an empty volume instead has it deleted again', async () => {
    await snapshot();
    rig.driver.around(async ({ method }, proceed) => {
      const reply = await proceed();
      if (method === 'CreateVolume' && typeof reply === 'object' && reply !== null && 'volume' in reply) {
        const { volume } = reply;
        if (typeof volume === 'object' && volume !== null) Reflect.set(volume, 'contentSource', undefined);
      }
      return reply;
    });
    await rig.start();
    await rig.createClaim('data', { spec: { dataSource: fromSnapshot } });
    await told('data', /created an empty volume where the claim asks for one with the data of VolumeSnapshot snap/);
    await eventually(() => expect(rig.driver.callsOf('DeleteVolume').length).toBeGreaterThan(0));
    expect(await rig.volumes()).toEqual([]);
  });
});

describe('from another namespace', () => {
  const dataSourceRef = { ...fromSnapshot, namespace: 'templates' };

  it('a ReferenceGrant there permits it', async () => {
    await rig.cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'templates' } });
    await snapshot({ namespace: 'templates' });
    await rig.start('--feature-gates=CrossNamespaceVolumeDataSource=true');
    await rig.createClaim('data', { spec: { dataSourceRef } });
    await told('data', /no ReferenceGrant in namespace templates lets claims of namespace default/);
    await rig.cluster.apply({
      apiVersion: 'gateway.networking.k8s.io/v1beta1',
      kind: 'ReferenceGrant',
      metadata: { name: 'grant', namespace: 'templates' },
      spec: {
        from: [{ group: '', kind: 'PersistentVolumeClaim', namespace: 'default' }],
        to: [{ group: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'snap' }],
      },
    });
    await bound('data');
  });
});

describe('a clone', () => {
  const dataSource = { kind: 'PersistentVolumeClaim', name: 'source' };

  it('is made from the source’s volume, which stays while clones are made and no longer', async () => {
    await rig.start();
    const source = await rig.createClaim('source');
    await bound('source');
    const called = Promise.withResolvers<void>();
    const back = rig.driver.on('CreateVolume', async () => {
      called.resolve();
      throw rpcError('Aborted', 'copying');
    });
    await rig.createClaim('copy', { spec: { dataSource } });
    await called.promise;
    expect((await rig.claim('source'))?.metadata.finalizers).toContain(CLONE_SOURCE_FINALIZER);
    await rig.cluster.client.delete(persistentVolumeClaims, inDefault('source'));
    // The protection loop takes its own finalizer off; ours holds.
    await eventually(async () => {
      expect((await rig.claim('source'))?.metadata.finalizers).toEqual([CLONE_SOURCE_FINALIZER]);
    });
    back();
    await bound('copy');
    expect(contentSources().at(-1)).toEqual({
      type: { $case: 'volume', value: { volumeId: `vol-pvc-${source.metadata.uid}` } },
    });
    await eventually(async () => expect(await rig.claim('source')).toBeUndefined());
    await eventually(async () => expect((await rig.cluster.client.list(persistentVolumes)).items).toHaveLength(1));
  });

  it.each([
    ['smaller than its source', { resources: { requests: { storage: '1Mi' } } }, /ask for at least 1Gi/],
    ['of another volume mode', { volumeMode: 'Block' }, /cannot have Block/],
  ])('%s is refused', async (_, spec, text) => {
    await rig.start();
    await rig.createClaim('source');
    await bound('source');
    await rig.createClaim('copy', { spec: { dataSource, ...spec } });
    await told('copy', text);
    expect(rig.driver.callsOf('CreateVolume')).toHaveLength(1);
  });
});

describe('a VolumeAttributesClass', () => {
  const apiVersion = 'storage.k8s.io/v1';
  const kind = 'VolumeAttributesClass';

  it('gives the mutable parameters, once it exists, and stands in the volume', async () => {
    await rig.start('--retry-interval-start=1h', '--retry-interval-max=1h');
    const claim = await rig.createClaim('data', { spec: { volumeAttributesClassName: 'gold' } });
    await told('data', 'VolumeAttributesClass gold does not exist');
    await rig.cluster.apply({
      apiVersion,
      kind,
      metadata: { name: 'gold' },
      driverName: rig.driver.name,
      parameters: { iops: '100' },
    });
    await eventually(async () => {
      expect((await rig.volume(`pvc-${claim.metadata.uid}`))?.spec?.volumeAttributesClassName).toBe('gold');
    });
    expect(rig.driver.callsOf('CreateVolume')[0]?.request).toMatchObject({ mutableParameters: { iops: '100' } });
  });

  it('of another driver is refused', async () => {
    const parameters = { iops: '100' };
    await rig.cluster.apply({ apiVersion, kind, metadata: { name: 'gold' }, driverName: 'other.csi', parameters });
    await rig.start();
    await rig.createClaim('data', { spec: { volumeAttributesClassName: 'gold' } });
    await told('data', /is of driver other\.csi/);
    expect(rig.driver.callsOf('CreateVolume')).toEqual([]);
  });
});
