import { CreateVolumeResponse } from '@holdfast/csi-spec';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideClaim } from './decide.ts';
import { judgeReply } from './driver-reply.ts';
import { claimOf, classOf, driverName, noTopology, rules, traits } from './testing/objects.ts';

const step = decideClaim(
  { claim: claimOf(), storageClass: classOf(), volume: undefined, progress: undefined, infeasible: undefined },
  { driver: traits, rules, cluster: noTopology },
);
if (step.kind !== 'create') throw new Error(step.reason);
const { plan } = step;

function judge(volume: Parameters<typeof CreateVolumeResponse.fromPartial>[0]['volume']) {
  return judgeReply(CreateVolumeResponse.fromPartial({ volume }), plan, driverName);
}

const good = { volumeId: 'vol-1', capacityBytes: plan.requestedBytes };

describe('judgeReply', () => {
  it('takes a volume as large as asked, larger, or of a size the driver does not tell', () => {
    for (const capacityBytes of [plan.requestedBytes, plan.requestedBytes + 1n, 0n]) {
      expect(judge({ ...good, capacityBytes })).toMatchObject({
        kind: 'usable',
        volume: { volumeId: 'vol-1', capacityBytes },
      });
    }
  });

  it('keeps context and places', () => {
    const verdict = judge({
      ...good,
      volumeContext: { a: 'b' },
      accessibleTopology: [{ segments: { 'example.com/zone': 'z1' } }, {}],
    });
    expect(verdict).toMatchObject({
      volume: { volumeContext: { a: 'b' }, topologies: [{ 'example.com/zone': 'z1' }, {}] },
    });
  });

  it.each<[string, Parameters<typeof judge>[0], string, string | undefined]>([
    ['no volume', undefined, 'without a volume', undefined],
    ['an empty id', { ...good, volumeId: '' }, 'volumeId is empty', undefined],
    ['a NUL in the id', { ...good, volumeId: 'a\0b' }, 'control character', 'a\0b'],
    ['a negative size', { ...good, capacityBytes: -1n }, 'capacityBytes is negative', 'vol-1'],
    ['too small a size', { ...good, capacityBytes: 1n }, 'a volume of 1 bytes', 'vol-1'],
    [
      'a key that is no label',
      { ...good, accessibleTopology: [{ segments: { 'a b': 'z' } }] },
      'accessibleTopology',
      'vol-1',
    ],
    [
      'a value that is no label',
      { ...good, accessibleTopology: [{ segments: { zone: '../x' } }] },
      'not a label value',
      'vol-1',
    ],
    [
      'an overlong value',
      { ...good, accessibleTopology: [{ segments: { zone: 'z'.repeat(64) } }] },
      'not a label value',
      'vol-1',
    ],
  ])('refuses %s, names it, and keeps the id to delete', (_, volume, why, volumeId) => {
    const verdict = judge(volume);
    expect(verdict).toMatchObject({ kind: 'unusable', why: expect.stringContaining(why) });
    expect(verdict).toHaveProperty('volumeId', volumeId);
    expect(verdict).toHaveProperty('why', expect.stringContaining(driverName));
  });

  it('has a verdict for anything a driver can put on the wire', () => {
    const text = fc.string();
    const volume = fc.record({
      volumeId: text,
      capacityBytes: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      volumeContext: fc.dictionary(text, text),
      accessibleTopology: fc.array(fc.record({ segments: fc.dictionary(text, text) })),
    });
    fc.assert(
      fc.property(volume, (each) => {
        const verdict = judge(each);
        if (verdict.kind === 'usable') expect(verdict.volume.volumeId).not.toBe('');
        else expect(verdict.volumeId).toBe(each.volumeId || undefined);
      }),
    );
  });
});
