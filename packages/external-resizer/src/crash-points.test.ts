import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { conditionTypes, GI, grows, type Rig, startRig, storageOf } from './testing/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ capabilities: { controller: ['EXPAND_VOLUME', 'MODIFY_VOLUME'] } });
  rig.driver.on('ControllerModifyVolume', async () => ({}));
  rig.driver.on('ControllerExpandVolume', grows(undefined, false));
  await rig.createClass('gold', '9000');
  await rig.createClass('silver', '500');
});
afterEach(() => rig.stop());

async function eventually(check: () => Promise<void> | void): Promise<void> {
  await vi.waitFor(check, { timeout: 20_000, interval: 10 });
}

interface Point {
  /** Which of its patches it ends at, counted from 1. */
  readonly at: number;
  /** Whether that patch reaches the server; its reply never comes back. */
  readonly drop: 'before' | 'after';
}

/** Ends the resizer at that point. Nothing that it still sends gets through. */
function endAt({ at, drop }: Point): Promise<void> {
  const ended = Promise.withResolvers<void>();
  let patches = 0;
  const remove = rig.cluster.intercept(({ userAgent, verb }) => {
    if (userAgent !== rig.userAgent || !['patch', 'create'].includes(verb)) return undefined;
    patches += 1;
    if (patches < at) return undefined;
    if (patches > at) return { drop: 'before' };
    rig.stopController().finally(remove).then(ended.resolve, ended.reject);
    return { drop };
  });
  return ended.promise;
}

const points: readonly Point[] = [1, 2, 3].flatMap((at) => [
  { at, drop: 'before' as const },
  { at, drop: 'after' as const },
]);

describe('a resizer that ends at one of its patches', () => {
  it.each(points)('modifies to the end once it is back ($at, $drop)', async (point) => {
    const ended = endAt(point);
    await rig.start();
    await rig.requestClass('gold');
    await ended;
    const left = await rig.claim();
    const isUnderWay = left.status?.modifyVolumeStatus?.status === 'InProgress';
    // The user goes on meanwhile.
    await rig.requestClass('silver');
    const calls = rig.modifiedTo().length;
    await rig.start();
    await eventually(async () => expect((await rig.claim()).status?.currentVolumeAttributesClassName).toBe('silver'));
    // What was under way is brought to its end first, and nothing is called for that has been finished.
    expect(rig.modifiedTo().slice(calls)).toEqual(isUnderWay ? ['9000', '500'] : ['500']);
    expect((await rig.volume()).spec?.volumeAttributesClassName).toBe('silver');
    const { status } = await rig.claim();
    expect(status?.modifyVolumeStatus).toBeUndefined();
    expect(status?.conditions ?? []).toEqual([]);
  });

  it.each(points)('expands to the end once it is back ($at, $drop)', async (point) => {
    const ended = endAt(point);
    await rig.start();
    await rig.request('3Gi');
    await ended;
    const calls = rig.expandedTo().length;
    await rig.start();
    await eventually(async () => {
      const claim = await rig.claim();
      expect(storageOf(claim.status?.capacity)).toBe('3Gi');
      expect(conditionTypes(claim)).toEqual([]);
    });
    expect(storageOf((await rig.volume()).spec?.capacity)).toBe('3Gi');
    expect(rig.expandedTo().slice(calls)).toEqual(point.at === 3 && point.drop === 'after' ? [] : [3n * GI]);
  });
});
