import {
  isConflict,
  isExpired,
  isForbidden,
  isInvalid,
  isNotFound,
  persistentVolumeClaims,
  storageClasses,
} from '@holdfast/kube';
import { afterEach, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from './index.ts';

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
});

const claim = {
  metadata: { name: 'data', namespace: 'default' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } } },
};

describe('startTestCluster', () => {
  it('serves the kube client, and logs who asked what', async () => {
    cluster = await startTestCluster();
    const created = await cluster.client.create(persistentVolumeClaims, claim);
    expect(created.spec?.resources?.requests).toEqual({ storage: '1Gi' });
    const controller = await cluster.createClient('csi-provisioner/1');
    await controller.patch(persistentVolumeClaims, created.metadata, {
      kind: 'merge',
      body: { metadata: { labels: { a: 'b' } } },
    });
    expect(
      cluster.requests.map(({ verb, resource, userAgent, status }) => ({ verb, resource, userAgent, status })),
    ).toEqual([
      { verb: 'create', resource: 'persistentvolumeclaims', userAgent: 'test/0', status: 201 },
      { verb: 'patch', resource: 'persistentvolumeclaims', userAgent: 'csi-provisioner/1', status: 200 },
    ]);
  });

  it('serves TLS with a certificate its kubeconfig trusts', async () => {
    cluster = await startTestCluster({ tls: true });
    expect(cluster.url).toMatch(/^https:/);
    expect((await cluster.client.list(storageClasses)).items).toEqual([]);
  });

  it('applies documents of a YAML text, again without another write', async () => {
    cluster = await startTestCluster();
    const yaml = `
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: fast }
provisioner: disk.csi.holdfast
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: fast
  resources: { requests: { storage: 1Gi } }
`;
    const first = await cluster.apply(yaml);
    expect(first.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'StorageClass fast',
      'PersistentVolumeClaim data',
    ]);
    // A claim is stored in another form by its first update, as upstream does it.
    const second = await cluster.apply(yaml);
    const third = await cluster.apply(yaml);
    expect(third.map(({ metadata }) => metadata.resourceVersion)).toEqual(
      second.map(({ metadata }) => metadata.resourceVersion),
    );
  });

  it('logs a path that names no resource by its method', async () => {
    cluster = await startTestCluster();
    await cluster.client.request('GET', '/version');
    expect(cluster.requests).toMatchObject([{ verb: 'get', resource: '', path: '/version', status: 200 }]);
  });

  it('lets a test answer, drop and hold requests', async () => {
    cluster = await startTestCluster();
    const { client } = cluster;
    const removeReply = cluster.intercept(({ verb }) =>
      verb === 'get'
        ? { status: 403, body: { kind: 'Status', reason: 'Forbidden', message: 'no', code: 403 } }
        : undefined,
    );
    await expect(client.get(persistentVolumeClaims, { name: 'x', namespace: 'default' })).rejects.toSatisfy(
      isForbidden,
    );
    removeReply();

    const removeBefore = cluster.intercept(({ verb }) => (verb === 'create' ? { drop: 'before' } : undefined));
    await expect(client.create(persistentVolumeClaims, claim)).rejects.toMatchObject({ status: 0 });
    removeBefore();
    await expect(client.get(persistentVolumeClaims, claim.metadata)).rejects.toSatisfy(isNotFound);

    const removeAfter = cluster.intercept(({ verb }) => (verb === 'create' ? { drop: 'after' } : undefined));
    await expect(client.create(persistentVolumeClaims, claim)).rejects.toMatchObject({ status: 0 });
    removeAfter();
    expect((await client.get(persistentVolumeClaims, claim.metadata)).metadata.name).toBe('data');

    const gate = Promise.withResolvers<void>();
    const removeHold = cluster.intercept(({ verb }) => (verb === 'patch' ? { holdReply: gate.promise } : undefined));
    const held = client.patch(persistentVolumeClaims, claim.metadata, {
      kind: 'merge',
      body: { metadata: { labels: { a: 'b' } } },
    });
    const seen = (): unknown => cluster?.server.storage.get('/persistentvolumeclaims', 'default/data')?.metadata.labels;
    await expect.poll(seen).toEqual({ a: 'b' });
    gate.resolve();
    expect((await held).metadata.labels).toEqual({ a: 'b' });
    removeHold();
  });

  it('answers errors the kube client can tell apart', async () => {
    cluster = await startTestCluster();
    const { client } = cluster;
    const created = await client.create(persistentVolumeClaims, claim);
    const stale = { kind: 'merge' as const, body: { metadata: { resourceVersion: '1', labels: { a: 'b' } } } };
    await expect(client.patch(persistentVolumeClaims, created.metadata, stale)).rejects.toSatisfy(isConflict);
    await expect(
      client.delete(persistentVolumeClaims, created.metadata, { preconditions: { uid: 'other' } }),
    ).rejects.toSatisfy(isConflict);
    const none = { ...claim, metadata: { name: 'none', namespace: 'default' }, spec: { ...claim.spec, resources: {} } };
    await expect(client.create(persistentVolumeClaims, none)).rejects.toSatisfy(isInvalid);
    cluster.server.compact();
    const events = client.watch(persistentVolumeClaims, { resourceVersion: '1' });
    await expect(events[Symbol.asyncIterator]().next()).rejects.toSatisfy(isExpired);
  });
});

describe('startTestCluster with loops', () => {
  it('binds a claim to a volume made for it, and lets both go', async () => {
    cluster = await startTestCluster({ loops: true });
    const { client } = cluster;
    await cluster.apply(`
apiVersion: v1
kind: PersistentVolume
metadata: { name: made }
spec:
  capacity: { storage: 1Gi }
  accessModes: [ReadWriteOnce]
  storageClassName: manual
  csi: { driver: test.csi.holdfast, volumeHandle: v-1 }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec:
  storageClassName: manual
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 1Gi } }
`);
    const ref = { name: 'data', namespace: 'default' };
    const phase = async (): Promise<string | undefined> =>
      (await client.get(persistentVolumeClaims, ref)).status?.phase;
    await expect.poll(phase, { timeout: 20_000 }).toBe('Bound');
    await client.delete(persistentVolumeClaims, ref);
    await expect.poll(() => client.get(persistentVolumeClaims, ref).catch(isNotFound), { timeout: 20_000 }).toBe(true);
    expect(cluster.requests.some(({ userAgent }) => userAgent === 'loops/0')).toBe(true);
  });
});
