import { persistentVolumeClaims } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
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

/** The call never arrives, or it has its effect and its reply never comes back. */
type Loss = 'before' | 'after';

/** Ends the provisioner at its first such call, to the driver or to the API server; nothing that it still sends gets through. */
function endAt(call: string, loss: Loss): Promise<void> {
  const ended = Promise.withResolvers<void>();
  let isDead = false;
  const lost = rpcError('Unavailable', 'the line is cut');
  const removeHook = rig.driver.around(async ({ method }, proceed) => {
    if (isDead) throw lost;
    if (method !== call) return await proceed();
    if (loss === 'after') await proceed();
    end();
    throw lost;
  });
  const removeInterception = rig.cluster.intercept(({ userAgent, verb, resource }) => {
    if (!userAgent.startsWith('csi-provisioner')) return undefined;
    if (isDead) return { drop: 'before' };
    if (`${verb} ${resource}` !== call) return undefined;
    end();
    return { drop: loss };
  });

  function end(): void {
    isDead = true;
    const reopen = () => {
      removeHook();
      removeInterception();
    };
    rig.stopController().finally(reopen).then(ended.resolve, ended.reject);
  }

  return ended.promise;
}

async function deleteClaim(): Promise<void> {
  await rig.cluster.client.delete(persistentVolumeClaims, { name: 'data', namespace: 'default' });
}

async function untilNothingIsLeft(): Promise<void> {
  await eventually(async () => {
    expect(rig.driver.volumes.size).toBe(0);
    expect(await rig.volumes()).toEqual([]);
  });
}

const creations = () => rig.driver.callsOf('CreateVolume').map(({ request }) => request);
const losses = ['before', 'after'] as const;
const making = ['CreateVolume', 'create persistentvolumes'].flatMap((call) =>
  losses.map((loss) => [loss, call] as const),
);
const unmaking = ['DeleteVolume', 'patch persistentvolumes', 'delete persistentvolumes'].flatMap((call) =>
  losses.map((loss) => [loss, call] as const),
);

describe('a provisioner that ends', () => {
  it.each(making)('%s its %s makes one volume once it is back', async (loss, call) => {
    const ended = endAt(call, loss);
    await rig.start();
    await rig.createClaim('data');
    await ended;
    await rig.start();
    await eventually(async () => expect((await rig.claim('data'))?.status?.phase).toBe('Bound'));
    const [volume] = await rig.volumes();
    expect([...rig.driver.volumes.keys()]).toEqual([volume?.spec?.csi?.volumeHandle]);
    expect(await rig.volumes()).toHaveLength(1);
    const [first, ...retries] = creations();
    for (const retry of retries) expect(retry).toEqual(first);
    // A PersistentVolume that was stored is found, and nothing is asked for again.
    expect(retries).toHaveLength(call === 'create persistentvolumes' && loss === 'after' ? 0 : 1);
  });

  it.each(making)('%s its %s leaves nothing behind when the claim goes meanwhile', async (loss, call) => {
    const ended = endAt(call, loss);
    await rig.start();
    await rig.createClaim('data');
    await ended;
    await deleteClaim();
    await eventually(async () => expect(await rig.claim('data')).toBeUndefined());
    await rig.start();
    await eventually(() => expect(rig.driver.callsOf('DeleteVolume').length).toBeGreaterThan(0));
    await untilNothingIsLeft();
    const [first, ...retries] = creations();
    for (const retry of retries) expect(retry).toEqual(first);
  });

  it.each(unmaking)('%s its %s leaves nothing behind once it is back', async (loss, call) => {
    const ended = endAt(call, loss);
    await rig.start();
    await rig.createClaim('data');
    await eventually(async () => expect((await rig.claim('data'))?.status?.phase).toBe('Bound'));
    await deleteClaim();
    await ended;
    await rig.start();
    await untilNothingIsLeft();
    expect(creations()).toHaveLength(1);
  });
});

it('a claim that is deleted between CreateVolume and the PersistentVolume leaves nothing behind', async () => {
  let isDeleted = false;
  rig.cluster.intercept(async ({ userAgent, verb, resource }) => {
    if (!userAgent.startsWith('csi-provisioner') || `${verb} ${resource}` !== 'create persistentvolumes' || isDeleted)
      return undefined;
    isDeleted = true;
    await deleteClaim();
    await eventually(async () => expect(await rig.claim('data')).toBeUndefined());
    return undefined;
  });
  await rig.start();
  await rig.createClaim('data');
  await eventually(() => expect(rig.driver.callsOf('DeleteVolume')).toHaveLength(1));
  await untilNothingIsLeft();
  expect(creations()).toHaveLength(1);
});

it('a claim that was bound and deleted behind a cache that does not hear of it gets no second volume', async () => {
  rig.cluster.intercept(async ({ userAgent, verb, resource, query }) => {
    if (!userAgent.startsWith('csi-provisioner') || `${verb} ${resource}` !== 'watch persistentvolumeclaims')
      return undefined;
    // Without streaming lists, list and watch are two requests: what there is at the start is heard of, and no more.
    if (!query.includes('sendInitialEvents')) await new Promise(() => {});
    return { status: 422, body: { kind: 'Status', code: 422, reason: 'Invalid', message: 'no streaming lists' } };
  });
  await rig.createClaim('data');
  await rig.start();
  await eventually(async () => expect((await rig.claim('data'))?.status?.phase).toBe('Bound'));
  await deleteClaim();
  await untilNothingIsLeft();
  // It is about to make a second one, and asks the API server first.
  const confirmed = () =>
    rig.cluster.requests.filter(
      ({ userAgent, verb, resource, status }) =>
        userAgent.startsWith('csi-provisioner') && `${verb} ${resource} ${status}` === 'get persistentvolumeclaims 404',
    );
  await eventually(() => expect(confirmed()).toHaveLength(1));
  await rig.stopController();
  expect(creations()).toHaveLength(1);
  expect(rig.driver.volumes.size).toBe(0);
});
