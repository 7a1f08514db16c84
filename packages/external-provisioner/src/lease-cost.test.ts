import { leases } from '@holdfast/kube';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CREATING_NOTE } from './names.ts';
import { type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
  await rig.createClass();
  await rig.start();
});
afterEach(() => rig.stop());

async function eventually(check: () => Promise<void> | void): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000, interval: 10 });
}

/** A claim with its volume, and nobody else about. */
async function loneClaim(name: string): Promise<string> {
  const claim = await rig.createClaim(name);
  await eventually(async () => expect((await rig.eventsOf(name)).join()).toContain('Succeeded'));
  return `pvc-${claim.metadata.uid}`;
}

async function note(): Promise<string | undefined> {
  const lease = await rig.cluster.client.get(leases, { name: 'provisioner', namespace: 'default' });
  return lease.metadata.annotations?.[CREATING_NOTE];
}

it('claims that come one by one cost one write of the lease each: what is done goes with the next', async () => {
  const notes = new Set<string | undefined>();
  for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) {
    await loneClaim(name);
    expect(rig.leaseWrites()).toBe(index + 1);
    notes.add(await note());
  }
  expect(notes.size).toBe(4);
  // Each has the last claim alone: four of them together would be longer than the first.
  const lengths = [...notes].map((text) => text?.length ?? 0);
  expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThan(64);
  await rig.stopController();
  expect(await note()).toBeUndefined();
  expect(rig.leaseWrites()).toBe(5);
});

it('a volume is off the lease before it is deleted, which costs a write for the last claim alone', async () => {
  const first = await loneClaim('a');
  const names = [await loneClaim('b'), first];
  rig.driver.on('DeleteVolume', async () => {
    expect(await note()).toBeUndefined();
    return {};
  });
  for (const [index, name] of names.entries()) {
    await rig.release(name);
    await eventually(() => {
      expect(rig.writes().filter((write) => write === 'delete persistentvolumes')).toHaveLength(index + 1);
    });
  }
  expect(rig.leaseWrites()).toBe(3);
});

it('a volume whose object somebody takes away by force is off the lease too, and is not made again', async () => {
  const name = await loneClaim('data');
  expect(await note()).toBeDefined();
  await rig.deleteClaim('data');
  await rig.deleteVolume(name);
  await eventually(async () => expect(await note()).toBeUndefined());
});
