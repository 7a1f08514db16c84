import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sizeWithin } from './capacity.ts';
import { checkVolumeId } from './check-text.ts';
import { pageToken, readPageToken } from './page-token.ts';
import { choosePlacement, fits } from './topology.ts';
import { volumeIdFor } from './volume-id.ts';

describe('volumeIdFor', () => {
  test('every name gives an id that passes the check, is safe as a file name, and is its own', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.string({ unit: 'grapheme', minLength: 1 }),
        (a, b) => {
          const id = volumeIdFor(a);
          checkVolumeId(id);
          expect(id).not.toContain('/');
          expect(volumeIdFor(a)).toBe(id);
          expect(volumeIdFor(b) === id).toBe(a === b);
        },
      ),
    );
  });

  test('what Kubernetes sends stays readable; what looks like a hash is hashed', () => {
    const name = 'pvc-2f9a4cd0-5f3c-4a4e-9d7a-0a8f2f3c1b2a';
    expect(volumeIdFor(name)).toBe(name);
    const hashed = volumeIdFor('a/b');
    expect(hashed).toMatch(/^h-[0-9a-f]{40}$/);
    expect(volumeIdFor(hashed)).not.toBe(hashed);
    expect(volumeIdFor('x'.repeat(128)).length).toBeLessThan(101);
  });
});

test('sizeWithin: whatever it returns keeps the range and the rules, and a size that exists is found', () => {
  const amount = fc.bigInt({ min: 0n, max: 10_000n });
  fc.assert(
    fc.property(amount, amount, fc.bigInt({ min: 1n, max: 64n }), (requiredBytes, limitBytes, stepBytes) => {
      const minimumBytes = stepBytes * 4n;
      const maximumBytes = stepBytes * 100n;
      const rules = { defaultBytes: stepBytes * 10n, minimumBytes, maximumBytes, stepBytes };
      const limit = limitBytes === 0n ? maximumBytes : limitBytes;
      let size: bigint | undefined;
      try {
        size = sizeWithin({ requiredBytes, limitBytes }, rules);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^(InvalidArgument|OutOfRange)$/) });
      }
      const isBelowMinimum = requiredBytes > 0n && requiredBytes < minimumBytes;
      const roundedUp = ((requiredBytes + stepBytes - 1n) / stepBytes) * stepBytes;
      const smallest = roundedUp > minimumBytes ? roundedUp : minimumBytes;
      const exists = !isBelowMinimum && smallest <= limit && smallest <= maximumBytes;
      expect(size !== undefined).toBe(exists);
      if (size === undefined) return;
      expect(size >= requiredBytes && size <= limit && size >= minimumBytes && size <= maximumBytes).toBe(true);
      expect(size % stepBytes).toBe(0n);
    }),
  );
});

test('page tokens read back, whatever the id', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (id) => {
      expect(readPageToken(pageToken(id))).toBe(Buffer.from(id).toString());
    }),
  );
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (token) => {
      try {
        expect(pageToken(readPageToken(token))).toBe(token);
      } catch (error) {
        expect(error).toMatchObject({ code: 'Aborted' });
      }
    }),
  );
});

test('choosePlacement stays within requisite and follows preferred', () => {
  const zone = fc.constantFrom('a', 'b', 'c', 'd').map((value) => ({ segments: { zone: value } }));
  const zones = fc.uniqueArray(zone, { maxLength: 4, selector: ({ segments }) => segments.zone });
  fc.assert(
    fc.property(zones, zones, zones, (available, requisite, preferred) => {
      const placements = available.map(({ segments }) => segments);
      const allowed = placements.filter(
        (one) => requisite.length === 0 || requisite.some(({ segments }) => fits(one, segments)),
      );
      const best = preferred.map(({ segments }) => segments).find((one) => allowed.some((other) => fits(other, one)));
      if (allowed.length === 0) {
        expect(() => choosePlacement({ requisite, preferred }, placements)).toThrow('this driver serves');
      } else {
        expect(choosePlacement({ requisite, preferred }, placements)).toEqual(best ?? allowed[0]);
      }
    }),
  );
});
