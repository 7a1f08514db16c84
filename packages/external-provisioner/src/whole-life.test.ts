import { persistentVolumeClaims as claims } from '@holdfast/kube';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ loops: true });
});
afterEach(() => rig.stop());

async function eventually(check: () => Promise<void> | void): Promise<void> {
  await vi.waitFor(check, { timeout: 15_000, interval: 10 });
}

it('twenty claims live and die beside the loops of a cluster: one call each way, four writes each and fewer of the lease', async () => {
  const count = 20;
  await rig.createClass();
  await rig.start();
  const names = Array.from({ length: count }, (_, index) => `data-${index}`);
  await Promise.all(names.map((name) => rig.createClaim(name)));
  await eventually(async () => {
    for (const name of names) expect((await rig.claim(name))?.status?.phase).toBe('Bound');
  });
  await Promise.all(names.map((name) => rig.cluster.client.delete(claims, { name, namespace: 'default' })));
  await eventually(async () => expect(await rig.volumes()).toEqual([]));
  await rig.stopController();

  expect(rig.driver.volumes.size).toBe(0);
  expect(rig.driver.callsOf('CreateVolume')).toHaveLength(count);
  expect(rig.driver.callsOf('DeleteVolume')).toHaveLength(count);
  const counts = Object.groupBy(rig.writes(), (write) => write);
  expect(rig.leaseWrites()).toBeLessThanOrEqual(count);
  expect(Object.fromEntries(Object.entries(counts).map(([write, each]) => [write, each?.length]))).toEqual({
    'create persistentvolumes': count,
    'create events': count,
    'patch persistentvolumes': count,
    'delete persistentvolumes': count,
  });
});
