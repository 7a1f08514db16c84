import { volumeAttachments } from '@holdfast/kube';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { eventually, type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
/** Calls that the driver has begun and not answered. */
let underWay: number;
let mostUnderWay: number;
afterEach(() => rig.stop());

beforeEach(async () => {
  rig = await startRig();
  underWay = 0;
  mostUnderWay = 0;
  await rig.addNode('node-1');
});

function count<T>(answer: Promise<T>): Promise<T> {
  underWay += 1;
  mostUnderWay = Math.max(mostUnderWay, underWay);
  return answer.finally(() => {
    underWay -= 1;
  });
}

const names = (prefix: string, many: number) => Array.from({ length: many }, (_, index) => `${prefix}-${index}`);
const attachAll = (all: readonly string[]) =>
  Promise.all(all.map((name) => rig.addInlineAttachment(name, `vol-${name}`, 'node-1')));
const publishes = () => rig.driver.callsOf('ControllerPublishVolume');

test('a thousand attaches that the driver is slow to answer do not hold up a detach', { timeout: 60_000 }, async () => {
  rig.driver.on('ControllerPublishVolume', () => count(Promise.resolve({ publishContext: {} })));
  rig.driver.on('ControllerUnpublishVolume', () => count(Promise.resolve({})));
  await rig.start('--timeout=1m');
  await attachAll(['leaving', 'leaving-too']);
  await rig.untilAttached('leaving');
  await rig.untilAttached('leaving-too');

  const answer = Promise.withResolvers<{ publishContext: Record<string, string> }>();
  const quick = rig.driver.on('ControllerPublishVolume', () => count(answer.promise));
  await attachAll(names('va', 1000));
  // All workers but the one that is kept for the other kind.
  await eventually(() => expect(publishes()).toHaveLength(2 + 3));
  for (const name of ['leaving', 'leaving-too']) {
    await rig.cluster.client.delete(volumeAttachments, { name });
    await rig.untilGone(name);
  }
  expect(publishes()).toHaveLength(2 + 3);
  expect(mostUnderWay).toBe(4);
  quick();
  answer.resolve({ publishContext: {} });
});

test('detaches that the driver is slow to answer do not hold up an attach', async () => {
  rig.driver.on('ControllerPublishVolume', () => Promise.resolve({ publishContext: {} }));
  await rig.start('--timeout=1m');
  const leaving = names('va', 20);
  await attachAll(leaving);
  for (const name of leaving) await rig.untilAttached(name);
  const answer = Promise.withResolvers<object>();
  rig.driver.on('ControllerUnpublishVolume', () => answer.promise);
  await Promise.all(leaving.map((name) => rig.cluster.client.delete(volumeAttachments, { name })));
  await eventually(() => expect(rig.driver.callsOf('ControllerUnpublishVolume')).toHaveLength(3));
  await attachAll(['new']);
  await rig.untilAttached('new');
  expect(rig.driver.callsOf('ControllerUnpublishVolume')).toHaveLength(3);
  answer.resolve({});
  for (const name of leaving) await rig.untilGone(name);
});

test('one worker does both in turns', async () => {
  rig.driver.on('ControllerPublishVolume', () => count(Promise.resolve({ publishContext: {} })));
  rig.driver.on('ControllerUnpublishVolume', () => count(Promise.resolve({})));
  const [leaving = '', ...others] = names('va', 5);
  await rig.start('--worker-threads=1');
  await attachAll([leaving]);
  await rig.untilAttached(leaving);
  await rig.cluster.client.delete(volumeAttachments, { name: leaving });
  await attachAll(others);
  for (const name of others) await rig.untilAttached(name);
  await rig.untilGone(leaving);
  expect(mostUnderWay).toBe(1);
});

test('500 attachments that fail again and again are written once each, and held once', {
  timeout: 60_000,
}, async () => {
  rig.driver.on('ControllerPublishVolume', () => Promise.reject(new Error('no room left')));
  await rig.start('--worker-threads=20');
  const failing = names('va', 500);
  await attachAll(failing);
  const tries = () => {
    const byVolume = new Map<string, number>();
    for (const { request } of publishes()) {
      if (!(request instanceof Object && 'volumeId' in request)) continue;
      const id = String(request.volumeId);
      byVolume.set(id, (byVolume.get(id) ?? 0) + 1);
    }
    return [...byVolume.values()];
  };
  await vi.waitFor(
    () => {
      expect(tries()).toHaveLength(500);
      expect(Math.min(...tries())).toBeGreaterThanOrEqual(3);
    },
    { timeout: 50_000, interval: 100 },
  );
  const writes = rig.writes();
  expect(writes.filter((write) => write === 'patch volumeattachments')).toHaveLength(500);
  expect(writes.filter((write) => write === 'patch volumeattachments/status')).toHaveLength(500);
  expect(writes).toHaveLength(1000);
});
