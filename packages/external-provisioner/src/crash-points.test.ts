import { persistentVolumeClaims, persistentVolumes } from '@holdfast/kube';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ loops: true });
  await rig.createClass();
});
afterEach(() => rig.stop());

async function eventually(check: () => Promise<void> | void): Promise<void> {
  await vi.waitFor(check, { timeout: 15_000, interval: 10 });
}

/** Ends the provisioner at its first such write, which never reaches the server or whose reply never comes back. */
function endAt(verb: string, resource: string, drop: 'before' | 'after'): Promise<void> {
  const ended = Promise.withResolvers<void>();
  const remove = rig.cluster.intercept((request) => {
    const isOurs = request.userAgent.startsWith('csi-provisioner');
    if (!isOurs || request.verb !== verb || request.resource !== resource) return undefined;
    remove();
    rig.stopController().then(ended.resolve, ended.reject);
    return { drop };
  });
  return ended.promise;
}

describe('a provisioner that ends', () => {
  it.each([
    ['before', 'create'],
    ['after', 'create'],
    ['before', 'patch'],
    ['after', 'patch'],
    ['before', 'delete'],
    ['after', 'delete'],
  ] as const)('%s its %s takes effect leaves nothing behind once it is back', async (drop, verb) => {
    const ended = endAt(verb, 'persistentvolumes', drop);
    await rig.start();
    await rig.createClaim('data');
    if (verb === 'create') {
      await ended;
      await rig.start();
    }
    await eventually(async () => expect((await rig.claim('data'))?.status?.phase).toBe('Bound'));
    expect(await rig.volumes()).toHaveLength(1);
    expect(rig.driver.volumes.size).toBe(1);

    await rig.cluster.client.delete(persistentVolumeClaims, { name: 'data', namespace: 'default' });
    if (verb !== 'create') {
      await ended;
      await rig.start();
    }
    await eventually(async () => expect((await rig.cluster.client.list(persistentVolumes)).items).toEqual([]));
    expect(rig.driver.volumes.size).toBe(0);
  });
});
