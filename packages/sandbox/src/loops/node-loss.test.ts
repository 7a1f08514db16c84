import {
  events,
  leases,
  type Node,
  nodes,
  type Pod,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  volumeAttachments,
} from '@holdfast/kube';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTestCluster, type TestCluster } from '../testing/index.ts';

const soon = { timeout: 15_000 };
const leaseRef = (name: string) => ({ namespace: 'kube-node-lease', name });
const onStatus = { subresource: 'status' } as const;

let cluster: TestCluster;
let living: Map<string, NodeJS.Timeout>;

async function start(periods: NonNullable<Parameters<typeof startTestCluster>[0]>['periods'] = {}): Promise<void> {
  cluster = await startTestCluster({ loops: true, periods: { nodeMonitorGraceMs: 1_500, podGcMs: 100, ...periods } });
  for (const name of ['node-a', 'node-b']) await startNode(name);
}
beforeEach(() => {
  living = new Map();
});
afterEach(async () => {
  living.forEach((timer) => clearInterval(timer));
  await cluster.stop();
});

/** What of a kubelet the loops see: a Node that is ready, and a lease. */
async function startNode(name: string): Promise<void> {
  const { client } = cluster;
  const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: new Date().toISOString() }];
  await client.create(nodes, { metadata: { name }, spec: {} }).catch(() => undefined);
  const renewTime = () => new Date().toISOString().replace('Z', '000Z');
  await client
    .create(leases, { metadata: leaseRef(name), spec: { holderIdentity: name, renewTime: renewTime() } })
    .catch(() => undefined);
  const renew = async () => {
    const patch = { kind: 'merge', body: { spec: { renewTime: renewTime() } } } as const;
    await client.patch(leases, leaseRef(name), patch).catch(() => undefined);
  };
  living.set(
    name,
    setInterval(() => void renew(), 100),
  );
  await client.patch(nodes, { name }, { kind: 'strategic', body: { status: { conditions } } }, onStatus);
}

function silence(name: string): void {
  clearInterval(living.get(name));
}

/** An API server lets a pod that says nothing stay for 5 minutes. */
function leavesAfter(tolerationSeconds: number): object {
  const toleration = { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' };
  return { tolerations: [{ ...toleration, tolerationSeconds }] };
}

async function createPod(name: string, spec: object = {}): Promise<void> {
  const metadata = { namespace: 'default', name };
  const containers = [{ name: 'main', image: 'app' }];
  await cluster.client.create(pods, { metadata, spec: { nodeName: 'node-a', containers, ...leavesAfter(0), ...spec } });
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  await cluster.client.patch(pods, metadata, { kind: 'strategic', body: { status } }, onStatus);
}

const node = (name = 'node-a'): Promise<Node> => cluster.client.get(nodes, { name });
const pod = (name: string): Promise<Pod> => cluster.client.get(pods, { namespace: 'default', name });
const taints = async () => ((await node()).spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
const ready = ({ status }: Node | Pod) => status?.conditions?.find(({ type }) => type === 'Ready')?.status;
const reasonsOn = async (name: string) =>
  (await cluster.client.list(events)).items
    .filter(({ involvedObject }) => involvedObject.name === name)
    .map(({ reason }) => reason);

describe('a node whose kubelet is silent', () => {
  it('becomes Unknown and tainted, its pods are not ready, and all is undone but the pods when it speaks again', async () => {
    await start();
    await createPod('app', { tolerations: [{ operator: 'Exists' }] });
    silence('node-a');
    await vi.waitFor(async () => expect(ready(await pod('app'))).toBe('False'), soon);
    expect(ready(await node())).toBe('Unknown');
    expect(await taints()).toEqual([
      'node.kubernetes.io/unreachable:NoSchedule',
      'node.kubernetes.io/unreachable:NoExecute',
    ]);
    await vi.waitFor(async () => {
      expect(await reasonsOn('node-a')).toContain('NodeNotReady');
      expect(await reasonsOn('app')).toContain('NodeNotReady');
    }, soon);
    expect(ready(await node('node-b'))).toBe('True');
    await startNode('node-a');
    await vi.waitFor(async () => expect(await taints()).toEqual([]), soon);
    expect((await pod('app')).metadata.deletionTimestamp).toBeUndefined();
  });

  it('loses the pods that do not tolerate it, and keeps the others', async () => {
    await start();
    await createPod('brief', leavesAfter(1));
    await createPod('stoic', { tolerations: [{ operator: 'Exists' }] });
    silence('node-a');
    await vi.waitFor(async () => expect((await pod('brief')).metadata.deletionTimestamp).toBeDefined(), soon);
    expect((await pod('brief')).status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' }),
    );
    await vi.waitFor(async () => expect(await reasonsOn('brief')).toContain('TaintManagerEviction'), soon);
    expect((await pod('stoic')).metadata.deletionTimestamp).toBeUndefined();
  });

  it('that is declared out of service is cleared of its terminating pods', async () => {
    await start();
    await createPod('app');
    silence('node-a');
    await vi.waitFor(async () => expect((await pod('app')).metadata.deletionTimestamp).toBeDefined(), soon);
    const operations = [
      { op: 'add', path: '/spec/taints/-', value: { key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' } },
    ] as const;
    await cluster.client.patch(nodes, { name: 'node-a' }, { kind: 'json', operations: [...operations] });
    await vi.waitFor(async () => expect((await cluster.client.list(pods)).items).toEqual([]), soon);
  });
});

it('pods of a node that is gone are marked and removed', async () => {
  await start();
  await createPod('app');
  await cluster.client.patch(
    pods,
    { namespace: 'default', name: 'app' },
    { kind: 'merge', body: { metadata: { finalizers: ['test/seen'] } } },
  );
  silence('node-a');
  await cluster.client.delete(nodes, { name: 'node-a' });
  await vi.waitFor(async () => expect((await pod('app')).metadata.deletionTimestamp).toBeDefined(), soon);
  expect((await pod('app')).status).toMatchObject({
    phase: 'Failed',
    conditions: expect.arrayContaining([expect.objectContaining({ reason: 'DeletionByPodGC' })]),
  });
});

describe('a volume mounted on a node that is lost', () => {
  const attachments = async () => (await cluster.client.list(volumeAttachments)).items;

  async function attachedPod(): Promise<void> {
    await cluster.apply(`
apiVersion: v1
kind: PersistentVolume
metadata: { name: pv }
spec:
  capacity: { storage: 1Gi }
  accessModes: [ReadWriteOnce]
  claimRef: { namespace: default, name: data }
  csi: { driver: disk.test, volumeHandle: h }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec: { storageClassName: "", volumeName: pv, accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
`);
    await vi.waitFor(async () => {
      const claim = await cluster.client.get(persistentVolumeClaims, { namespace: 'default', name: 'data' });
      expect(claim.status?.phase).toBe('Bound');
      expect((await cluster.client.get(persistentVolumes, { name: 'pv' })).status?.phase).toBe('Bound');
    }, soon);
    await createPod('app', { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] });
    await vi.waitFor(async () => expect(await attachments()).toHaveLength(1), soon);
    const status = { volumesInUse: ['kubernetes.io/csi/disk.test^h'] };
    await cluster.client.patch(nodes, { name: 'node-a' }, { kind: 'merge', body: { status } }, onStatus);
  }

  it('is taken from it when it is declared out of service, at once', async () => {
    await start();
    await attachedPod();
    silence('node-a');
    await vi.waitFor(async () => expect((await pod('app')).metadata.deletionTimestamp).toBeDefined(), soon);
    await vi.waitFor(async () => expect(await taints()).toHaveLength(2), soon);
    expect(await attachments()).toHaveLength(1);
    const taint = { key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' };
    const operations = [{ op: 'add', path: '/spec/taints/-', value: taint }] as const;
    await cluster.client.patch(nodes, { name: 'node-a' }, { kind: 'json', operations: [...operations] });
    await vi.waitFor(async () => expect(await attachments()).toEqual([]), soon);
  });

  it('is taken from it once its pod is gone and it had its time to unmount', async () => {
    await start({ maxWaitForUnmountMs: 300 });
    await attachedPod();
    silence('node-a');
    await vi.waitFor(async () => expect(ready(await node())).toBe('Unknown'), soon);
    await cluster.client.delete(pods, { namespace: 'default', name: 'app' }, { gracePeriodSeconds: 0 });
    await vi.waitFor(async () => expect(await attachments()).toEqual([]), soon);
  });

  it('is taken from it when its Node has been deleted and it had its time', async () => {
    await start({ maxWaitForUnmountMs: 300 });
    await attachedPod();
    silence('node-a');
    await cluster.client.delete(nodes, { name: 'node-a' });
    await vi.waitFor(async () => expect(await attachments()).toEqual([]), soon);
    expect((await cluster.client.list(pods)).items).toEqual([]);
  });
});
