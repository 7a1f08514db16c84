import { volumeAttachments } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
/** What the driver lists: the nodes of each volume. */
let listed: Map<string, string[]>;
afterEach(() => rig.stop());

const NODE_ID = 'id-of-node-1';
const publishes = () => rig.driver.callsOf('ControllerPublishVolume');
const lists = () => rig.driver.callsOf('ListVolumes');
const volumeIdsOf = (calls: ReturnType<typeof publishes>) =>
  calls.map(({ request }) => (request instanceof Object && 'volumeId' in request ? request.volumeId : ''));

beforeEach(async () => {
  rig = await startRig({
    capabilities: {
      controller: ['CREATE_DELETE_VOLUME', 'PUBLISH_UNPUBLISH_VOLUME', 'LIST_VOLUMES', 'LIST_VOLUMES_PUBLISHED_NODES'],
    },
  });
  listed = new Map();
  rig.driver.on('ListVolumes', ({ maxEntries, startingToken }) => {
    const all = [...listed];
    const from = Number(startingToken);
    const end = Math.min(all.length, from + (maxEntries || all.length));
    return Promise.resolve({
      entries: all.slice(from, end).map(([volumeId, publishedNodeIds]) => ({
        volume: { volumeId, capacityBytes: 1n, volumeContext: {}, contentSource: undefined, accessibleTopology: [] },
        status: { publishedNodeIds },
      })),
      nextToken: end < all.length ? String(end) : '',
    });
  });
  rig.driver.on('ControllerPublishVolume', ({ volumeId }) => {
    listed.set(volumeId, [NODE_ID]);
    return Promise.resolve({ publishContext: {} });
  });
  rig.driver.on('ControllerUnpublishVolume', ({ volumeId }) => {
    listed.set(volumeId, []);
    return Promise.resolve({});
  });
  await rig.addNode('node-1');
});

async function attach(...names: string[]): Promise<void> {
  await Promise.all(names.map((name) => rig.addInlineAttachment(name, `vol-${name}`, 'node-1')));
  for (const name of names) await rig.untilAttached(name);
}

async function untilRounds(more: number): Promise<void> {
  const before = lists().length;
  await eventually(() => expect(lists().length).toBeGreaterThan(before + more));
}

test('of 10,000 volumes in pages, the one that was lost is published again, and no other', {
  timeout: 30_000,
}, async () => {
  for (let index = 0; index < 10_000; index += 1) listed.set(`vol-other-${index}`, [`id-of-node-${index % 100}`]);
  await rig.start();
  await attach('va-1', 'va-2', 'va-3');
  await rig.stopController();
  listed.set('vol-va-2', ['id-of-another-node']);
  rig.driver.calls.length = 0;
  rig.cluster.requests.length = 0;
  await rig.start('--reconcile-sync=1h', '--max-entries=1000');
  await eventually(() => expect(volumeIdsOf(publishes())).toEqual(['vol-va-2']));
  expect(lists().map(({ request }) => request)).toEqual(
    Array.from({ length: 11 }, (_, page) => ({ maxEntries: 1000, startingToken: page === 0 ? '' : `${page}000` })),
  );
  expect(rig.driver.callsOf('ControllerUnpublishVolume')).toEqual([]);
  expect(rig.writes()).toEqual([]);
});

test('ten thousand volumes in one answer of more than 4 MiB are taken', { timeout: 30_000 }, async () => {
  const long = 'x'.repeat(450);
  for (let index = 0; index < 10_000; index += 1) listed.set(`vol-${long}-${index}`, []);
  await rig.start();
  await attach('va-1');
  await rig.stopController();
  listed.set('vol-va-1', []);
  await rig.start('--reconcile-sync=1h');
  await eventually(() => expect(publishes()).toHaveLength(2));
  expect(rig.log.lines.map(({ message }) => message)).not.toContain('Cannot list the published volumes');
});

test('a repair that fails is told, and tried again with back-off, without waiting for the next list', async () => {
  await rig.start();
  await attach('va-1');
  await rig.stopController();
  listed.set('vol-va-1', []);
  rig.driver.calls.length = 0;
  rig.cluster.requests.length = 0;
  const recover = rig.driver.on('ControllerPublishVolume', () => Promise.reject(rpcError('Unavailable', 'not now')));
  await rig.start('--reconcile-sync=1h');
  expect(await rig.untilError('va-1', 'attachError')).toContain('not now');
  await eventually(() => expect(publishes().length).toBeGreaterThanOrEqual(3));
  recover();
  await eventually(() => expect(listed.get('vol-va-1')).toEqual([NODE_ID]));
  await eventually(async () => expect((await rig.attachment('va-1'))?.status).toEqual({ attached: true }));
  expect(lists()).toHaveLength(1);
  expect(rig.writes()).toEqual(['patch volumeattachments/status', 'patch volumeattachments/status']);
});

test('thousands that were lost do not stand before what is to be attached now', async () => {
  await rig.start();
  const lost = Array.from({ length: 40 }, (_, index) => `va-${index}`);
  await attach(...lost);
  await rig.stopController();
  for (const name of lost) listed.set(`vol-${name}`, []);
  rig.driver.calls.length = 0;
  const answer = Promise.withResolvers<void>();
  rig.driver.on('ControllerPublishVolume', async ({ volumeId }) => {
    if (volumeId !== 'vol-new') await answer.promise;
    listed.set(volumeId, [NODE_ID]);
    return { publishContext: {} };
  });
  await rig.start('--reconcile-sync=1h');
  // Half of the four workers.
  await eventually(() => expect(publishes()).toHaveLength(2));
  await attach('new');
  expect(publishes()).toHaveLength(3);
  answer.resolve();
  await eventually(() => expect([...listed.values()].every((nodes) => nodes.includes(NODE_ID))).toBe(true));
  expect(publishes()).toHaveLength(41);
});

test('a volume that the driver never lists is not published in each round', async () => {
  await rig.start();
  await attach('va-1');
  await rig.stopController();
  rig.driver.calls.length = 0;
  rig.driver.on('ControllerPublishVolume', () => Promise.resolve({ publishContext: {} }));
  listed.delete('vol-va-1');
  await rig.start('--reconcile-sync=1ms');
  await untilRounds(20);
  // In rounds 0, 2, 5, 10 and 19.
  const rounds = lists().length;
  expect(publishes().length).toBeGreaterThanOrEqual(3);
  expect(publishes().length).toBeLessThan(rounds / 2);
});

test('a publish that ended after its timeout is found in the list, and marked before its back-off is over', async () => {
  rig.driver.on('ControllerPublishVolume', ({ volumeId }) => {
    if (publishes().length === 1) return Promise.reject(rpcError('DeadlineExceeded', 'still at it'));
    listed.set(volumeId, [NODE_ID]);
    return Promise.resolve({ publishContext: {} });
  });
  await rig.start('--reconcile-sync=10ms', '--retry-interval-start=1m', '--retry-interval-max=1m');
  await rig.addInlineAttachment('va-1', 'vol-va-1', 'node-1');
  await rig.untilError('va-1', 'attachError');
  expect(publishes()).toHaveLength(1);
  listed.set('vol-va-1', [NODE_ID]);
  await rig.untilAttached('va-1');
  await untilRounds(4);
  expect(publishes()).toHaveLength(2);
});

test.each<[string, (startingToken: string) => object]>([
  ['goes on without end', () => ({ entries: [], nextToken: 'again' })],
  [
    'breaks off in the middle',
    (startingToken) => {
      if (startingToken !== '') throw rpcError('Aborted', 'the token is too old');
      return { entries: [], nextToken: '2' };
    },
  ],
])('a list that %s skips the round and changes nothing', async (_, page) => {
  await rig.start();
  await attach('va-1');
  await rig.stopController();
  rig.driver.calls.length = 0;
  rig.driver.on('ListVolumes', async ({ startingToken }) => ({ entries: [], nextToken: '', ...page(startingToken) }));
  await rig.start('--reconcile-sync=10ms');
  await untilRounds(4);
  expect(publishes()).toEqual([]);
  expect(rig.log.lines).toContainEqual(expect.objectContaining({ message: 'Cannot list the published volumes' }));
  await rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });
  await rig.untilGone('va-1');
});
