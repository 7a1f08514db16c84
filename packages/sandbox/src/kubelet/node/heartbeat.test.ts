import { silentLogger } from '@holdfast/core';
import { createFakeClock, type FakeClock } from '@holdfast/core/testing';
import { type Lease, leases, type Node, nodes } from '@holdfast/kube';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTestCluster, type TestCluster } from '../../testing/index.ts';
import { runHeartbeat } from './heartbeat.ts';
import { registerNode } from './node-object.ts';

const nodeName = 'node-a';
const ref = { namespace: 'kube-node-lease', name: nodeName };
const facts = { nodeName, labels: {}, httpPort: 4711, ephemeralBytes: 1024n };

let cluster: TestCluster;
let clock: FakeClock;
let node: Node | undefined;
let ending: AbortController;
let heartbeat: Promise<void>;

beforeEach(async () => {
  cluster = await startTestCluster();
  clock = createFakeClock();
  ending = new AbortController();
  node = await registerNode(cluster.client, facts, clock.nowMs(), ending.signal);
});
afterEach(async () => {
  ending.abort();
  await heartbeat;
  await cluster.stop();
});

function start(): void {
  heartbeat = runHeartbeat(
    {
      client: cluster.client,
      facts,
      node: () => node,
      onNode: (written) => (node = written),
      intervalMs: 10_000,
      log: silentLogger,
      clock,
    },
    ending.signal,
  );
}

const lease = (): Promise<Lease> => cluster.client.get(leases, ref);
const renewedAt = (seconds: number) =>
  vi.waitFor(async () => expect((await lease()).spec?.renewTime).toBe(microTime(seconds)), { timeout: 5_000 });
const microTime = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString().replace('Z', '000Z');
const writes = () =>
  cluster.requests
    .filter(({ verb }) => !['get', 'list', 'watch'].includes(verb))
    .map(({ verb, resource }) => `${verb} ${resource}`);

/** One interval on, once both rounds have come to their pause. */
async function nextRound(): Promise<void> {
  await vi.waitFor(() => expect(clock.timers()).toBe(2), { timeout: 5_000 });
  await clock.advance(10_000);
}

describe('the heartbeat of a node', () => {
  it('is a lease that the Node owns, renewed by one write in each round and nothing else', async () => {
    start();
    await renewedAt(0);
    expect(await lease()).toMatchObject({
      metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node?.metadata.uid }] },
      spec: { holderIdentity: nodeName, leaseDurationSeconds: 40 },
    });
    await vi.waitFor(() => expect(clock.timers()).toBe(2));
    cluster.requests.length = 0;
    await nextRound();
    await renewedAt(10);
    await nextRound();
    await renewedAt(20);
    expect(writes()).toEqual(['update leases', 'update leases']);
    expect(cluster.requests.filter(({ userAgent }) => userAgent !== 'test/0')).toEqual([]);
  });

  it('goes on when somebody else has written or removed the lease', async () => {
    start();
    await renewedAt(0);
    await cluster.client.patch(leases, ref, { kind: 'merge', body: { metadata: { labels: { seen: 'yes' } } } });
    await nextRound();
    await renewedAt(10);
    expect((await lease()).metadata.labels).toEqual({ seen: 'yes' });
    await cluster.client.delete(leases, ref);
    await nextRound();
    await renewedAt(20);
  });

  it('outlives an API server that fails', async () => {
    start();
    await renewedAt(0);
    const restore = cluster.intercept(({ resource }) =>
      resource === 'leases' ? { status: 500, body: { message: 'no' } } : undefined,
    );
    await nextRound();
    await vi.waitFor(() => expect(clock.timers()).toBe(2), { timeout: 5_000 });
    restore();
    await nextRound();
    await renewedAt(20);
  });

  it('says that the node is ready again when it was given up, and keeps the conditions of others', async () => {
    const given = { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown', message: 'gone' };
    const conditions = [given, { type: 'NetworkUnavailable', status: 'False' }];
    node = await cluster.client.patch(
      nodes,
      { name: nodeName },
      { kind: 'strategic', body: { status: { conditions } } },
      { subresource: 'status' },
    );
    await clock.advance(1_000);
    start();
    await vi.waitFor(async () => {
      const seen = await cluster.client.get(nodes, { name: nodeName });
      expect(seen.status?.conditions).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            type: 'Ready',
            status: 'True',
            lastTransitionTime: expect.stringMatching(/00:00:01/),
          }),
          expect.objectContaining({
            type: 'MemoryPressure',
            status: 'False',
            lastTransitionTime: expect.stringMatching(/00:00:00/),
          }),
          expect.objectContaining({ type: 'NetworkUnavailable' }),
        ]),
      );
    });
  });

  it('reports an unchanged status each 5 minutes', async () => {
    start();
    await renewedAt(0);
    for (let round = 1; round <= 30; round++) {
      await nextRound();
      await renewedAt(round * 10);
    }
    await vi.waitFor(() => expect(writes().filter((write) => write === 'patch nodes')).toHaveLength(2));
  });
});
