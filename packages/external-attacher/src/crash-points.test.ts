import { volumeAttachments } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FINALIZER } from './testing/objects.ts';
import { eventually, type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
afterEach(() => rig.stop());
beforeEach(async () => {
  rig = await startRig();
  await rig.addNode('node-1');
  await rig.addVolume('pv-1');
});

/** The call never arrives, or it has its effect and its reply never comes back. */
type Loss = 'before' | 'after';

/** Ends the attacher at the next such call, to the driver or to the API server; nothing that it still sends gets through. */
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
  const removeInterception = rig.cluster.intercept(({ userAgent, verb, resource, subresource }) => {
    if (userAgent !== rig.userAgent) return undefined;
    if (isDead) return { drop: 'before' };
    if ([verb, resource, ...(subresource ? [subresource] : [])].join(' ') !== call) return undefined;
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

const publishes = () => rig.driver.callsOf('ControllerPublishVolume').map(({ request }) => request);
const unpublishes = () => rig.driver.callsOf('ControllerUnpublishVolume').map(({ request }) => request);
const publishedTo = () => [...(rig.driver.volumes.get('vol-pv-1')?.publishedTo ?? [])];
const deleteAttachment = () => rig.cluster.client.delete(volumeAttachments, { name: 'va-1' });

const each = (calls: readonly string[]) =>
  calls.flatMap((call) => (['before', 'after'] as const).map((loss) => [loss, call] as const));
const attaching = each([
  'patch persistentvolumes',
  'patch volumeattachments',
  'ControllerPublishVolume',
  'patch volumeattachments status',
]);
const detaching = each(['ControllerUnpublishVolume', 'patch volumeattachments']);

describe('an attacher that ends', () => {
  test.each(attaching)('%s its %s attaches once it is back', async (loss, call) => {
    const ended = endAt(call, loss);
    await rig.start();
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    await ended;
    const before = publishes().length;
    const isDone = (await rig.attachment('va-1'))?.status?.attached === true;
    await rig.start();
    await rig.untilAttached('va-1');
    expect(publishedTo()).toEqual(['id-of-node-1']);
    // What is written as attached is not published again, and what is not is.
    expect(publishes()).toHaveLength(isDone ? before : before + 1);
    for (const request of publishes()) expect(request).toEqual(publishes()[0]);
    expect(unpublishes()).toEqual([]);
  });

  test.each(attaching)(
    '%s its %s detaches what it may have attached, when that is deleted meanwhile',
    async (loss, call) => {
      const ended = endAt(call, loss);
      await rig.start();
      await rig.addAttachment('va-1', 'pv-1', 'node-1');
      await ended;
      const isHeld = (await rig.attachment('va-1'))?.metadata.finalizers?.includes(FINALIZER) ?? false;
      if (publishedTo().length > 0) expect(isHeld).toBe(true);
      const before = publishes().length;
      await deleteAttachment();
      await rig.start();
      await rig.untilGone('va-1');
      expect(unpublishes()).toHaveLength(isHeld ? 1 : 0);
      expect(publishedTo()).toEqual([]);
      expect(publishes()).toHaveLength(before);
    },
  );

  test.each(detaching)('%s its %s has the object go once it is back', async (loss, call) => {
    await rig.start();
    await rig.addAttachment('va-1', 'pv-1', 'node-1');
    await rig.untilAttached('va-1');
    const ended = endAt(call, loss);
    await deleteAttachment();
    await ended;
    const isHeld = (await rig.attachment('va-1')) !== undefined;
    const before = unpublishes().length;
    await rig.start();
    await rig.untilGone('va-1');
    expect(publishedTo()).toEqual([]);
    expect(unpublishes()).toHaveLength(isHeld ? before + 1 : before);
    expect(publishes()).toHaveLength(1);
  });
});

test('a publish that went on after its timeout is undone, when it was no longer wanted by then', async () => {
  const late = Promise.withResolvers<void>();
  rig.driver.around(async ({ method }, proceed) => {
    if (method !== 'ControllerPublishVolume') return await proceed();
    await late.promise;
    return await proceed();
  });
  await rig.start('--timeout=200ms', '--retry-interval-start=1h', '--retry-interval-max=1h');
  await rig.addAttachment('va-1', 'pv-1', 'node-1');
  expect(await rig.untilError('va-1', 'attachError')).toContain('DeadlineExceeded');
  late.resolve();
  await eventually(() => expect(publishedTo()).toEqual(['id-of-node-1']));
  await deleteAttachment();
  await rig.untilGone('va-1');
  expect(publishedTo()).toEqual([]);
  expect(unpublishes()).toEqual([{ volumeId: 'vol-pv-1', nodeId: 'id-of-node-1', secrets: {} }]);
});
