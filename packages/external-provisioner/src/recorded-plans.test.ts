import { array, assert, constantFrom, dictionary, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planVolume, type VolumePlan } from './plan.ts';
import { decodePlans, encodePlans, RecordError } from './recorded-plans.ts';
import { claimOf, classOf, noTopology, rules, traits } from './testing/objects.ts';
import { rotate } from './topology-terms.ts';

function planOf(uid: string, parameters: Record<string, string> = {}): VolumePlan {
  const claim = claimOf({}, { uid });
  const storageClass = classOf({ parameters, mountOptions: ['noatime'] });
  const deps = { claim, storageClass, attributesClass: undefined, source: undefined, driver: traits, rules };
  const result = planVolume({ ...deps, cluster: noTopology });
  if (result.kind !== 'planned') throw new Error(`no plan: ${result.kind}`);
  return result.plan;
}

function placed(plan: VolumePlan, zones: readonly string[], start: number): VolumePlan {
  const requisite = zones.map((zone) => ({ segments: { zone } }));
  const accessibilityRequirements = { requisite, preferred: rotate(requisite, start) };
  return { ...plan, request: { ...plan.request, accessibilityRequirements } };
}

describe('recorded plans', () => {
  it('come back with the very same request, whatever the class and the places say', () => {
    assert(
      property(
        dictionary(
          string().filter((key) => !key.startsWith('csi.storage') && key.toLowerCase() !== 'fstype'),
          string(),
        ),
        array(string(), { minLength: 1 }),
        constantFrom(0, 1, 2),
        (parameters, zones, start) => {
          const plans = [planOf('a', parameters), placed(planOf('b', parameters), zones, start % zones.length)];
          const read = decodePlans(encodePlans(plans));
          expect(read.map(({ request }) => request)).toEqual(plans.map(({ request }) => request));
          expect(read.map(({ requestedBytes }) => requestedBytes)).toEqual(plans.map((plan) => plan.requestedBytes));
        },
      ),
    );
  });

  it('know the claim, the class and what to fill the volume from', () => {
    const source = { kind: 'VolumeSnapshot', name: 's', namespace: 'n', uid: 'u', isProtected: true } as const;
    const plan = { ...planOf('a'), source, attributesClass: 'gold', selectedNode: 'n1' };
    const [read] = decodePlans(encodePlans([plan]));
    expect(read).toMatchObject({
      source,
      attributesClass: 'gold',
      selectedNode: 'n1',
      storageClass: plan.storageClass,
    });
    expect(read?.claim.metadata).toMatchObject({ name: 'data', namespace: 'team-a', uid: 'a' });
    expect(read?.claim.spec).toMatchObject({ accessModes: ['ReadWriteOnce'] });
  });

  it('of two thousand claims in a thousand places fit into an annotation', () => {
    const zones = Array.from({ length: 1000 }, (_, index) => `node-${index}.example.com`);
    const plans = Array.from({ length: 2000 }, (_, index) => placed(planOf(crypto.randomUUID()), zones, index % 1000));
    expect(encodePlans(plans).length).toBeLessThan(224 * 1024);
  });

  it.each(['', 'nonsense', Buffer.from('{}').toString('base64')])('refuse what is none: %j', (text) => {
    expect(() => decodePlans(text)).toThrow(RecordError);
  });
});
