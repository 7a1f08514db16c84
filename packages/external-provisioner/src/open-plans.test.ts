import { array, assert, boolean, constantFrom, nat, property, string, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createOpenPlans } from './open-plans.ts';
import type { VolumePlan } from './plan.ts';
import { planVolume } from './plan.ts';
import { decodePlans, jsonBytes, maxTextLength, planText } from './recorded-plans.ts';
import { claimOf, classOf, noTopology, rules, traits } from './testing/objects.ts';

function planOf(uid: string, parameter: string, zones: readonly string[] = []): VolumePlan {
  const storageClass = classOf({ parameters: { tier: parameter } });
  const deps = { storageClass, attributesClass: undefined, source: undefined, driver: traits, rules };
  const result = planVolume({ ...deps, claim: claimOf({}, { uid }), cluster: noTopology });
  if (result.kind !== 'planned') throw new Error(`no plan: ${result.kind}`);
  const requisite = zones.map((zone) => ({ segments: { zone } }));
  const accessibilityRequirements = zones.length === 0 ? undefined : { requisite, preferred: requisite };
  return { ...result.plan, request: { ...result.plan.request, accessibilityRequirements } };
}

const uids = (text: string | undefined) =>
  text === undefined ? [] : decodePlans(text).map(({ claim }) => claim.metadata.uid);

describe('open plans', () => {
  it('read back as those that were added and not removed, with their places, whatever came and went between two reads', () => {
    const uid = constantFrom('a', 'b', 'c', 'd');
    const change = tuple(boolean(), uid, string(), constantFrom([], ['x'], ['x', 'y']), boolean());
    assert(
      property(array(change, { maxLength: 30 }), (changes) => {
        const open = createOpenPlans(1024 * 1024);
        const expected = new Map<string, VolumePlan>();
        for (const [isAdded, key, parameter, zones, isRead] of changes) {
          const plan = planOf(key, parameter, zones);
          if (isAdded) open.add(plan);
          else expect(open.remove(key)).toBe(expected.has(key));
          expected.delete(key);
          if (isAdded) expected.set(key, plan);
          if (isRead) expect(uids(open.text())).toEqual([...expected.keys()]);
        }
        expect(open.count()).toBe(expected.size);
        const text = open.text();
        const read = text === undefined ? [] : decodePlans(text);
        expect(read.map(({ request }) => request)).toEqual([...expected.values()].map(({ request }) => request));
        expect(open.isTooLong()).toBe(false);
      }),
    );
  });

  it('are never longer than their bound, also where nothing repeats', () => {
    assert(
      property(array(tuple(string(), string({ maxLength: 2000 }), nat(3)), { minLength: 1 }), (all) => {
        const plans = all.map(([uid, parameter, zone]) => planOf(`u${uid}`, parameter, [`zone-${zone}`]));
        const open = createOpenPlans(0);
        const distinct = new Map(plans.map((plan) => [plan.claim.metadata.uid, plan]));
        for (const plan of plans) open.add(plan);
        const texts = [...distinct.values()].map(planText);
        const parts = [...texts.map(({ json }) => json), ...new Set(texts.map(({ place = '' }) => place))];
        const bytes = parts.reduce((sum, part) => sum + jsonBytes(part), 0);
        expect(open.text()?.length).toBeLessThanOrEqual(maxTextLength(bytes));
      }),
    );
  });

  it('that share a long list of places fit where each by itself with its list would not', () => {
    const zones = Array.from({ length: 2000 }, () => crypto.randomUUID());
    const open = createOpenPlans(150 * 1024);
    for (let index = 0; index < 200; index += 1) {
      open.add(planOf(`uid-${index}`, 'gold', zones));
      expect(open.isTooLong()).toBe(false);
    }
  });

  it('are too long from the first one on that does not fit, and not once it is gone', () => {
    const open = createOpenPlans(8 * 1024);
    const noise = () => Array.from({ length: 20 }, () => crypto.randomUUID()).join();
    let count = 0;
    do open.add(planOf(`uid-${count++}`, noise()));
    while (!open.isTooLong());
    expect(open.text()?.length).toBeGreaterThan(8 * 1024);
    expect(open.remove(`uid-${count - 1}`)).toBe(true);
    expect(open.isTooLong()).toBe(false);
    expect(open.text()?.length).toBeLessThanOrEqual(8 * 1024);
  });
});
