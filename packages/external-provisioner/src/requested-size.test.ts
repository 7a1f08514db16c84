import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requestedBytes } from './requested-size.ts';
import { claimOf } from './testing/objects.ts';

function bytesOf(storage: string): bigint {
  return requestedBytes(claimOf({ resources: { requests: { storage } } }));
}

describe('requestedBytes', () => {
  it.each([
    ['1Gi', 1073741824n],
    ['5G', 5000000000n],
    ['1', 1n],
    // What the API server stores for 0.1Gi: not whole bytes, and nobody's mistake.
    ['107374182400m', 107374183n],
    ['0.1Gi', 107374183n],
    ['9223372036854775807', 9223372036854775807n],
  ])('reads %s as %d bytes, rounding up', (text, bytes) => {
    expect(bytesOf(text)).toBe(bytes);
  });

  it.each(['0', '-1Gi', '9Ei', '1.5', '1500m', 'abc', '', '1 Gi'])('refuses %j and says what to write', (text) => {
    expect(() => bytesOf(text)).toThrow(JSON.stringify(text));
    expect(() => bytesOf(text)).toThrow('for example 1');
  });

  it('refuses a claim without a size', () => {
    expect(() => requestedBytes(claimOf({ resources: {} }))).toThrow('set spec.resources.requests.storage');
  });

  it('never yields what is not a positive int64', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[-+]?[0-9.]{1,25}(Ki|Mi|Gi|Ti|Pi|Ei|m|k|M|G|e3)?$/), (text) => {
        let bytes: bigint;
        try {
          bytes = bytesOf(text);
        } catch (error) {
          expect(error).toHaveProperty('name', 'RefusalError');
          return;
        }
        expect(bytes > 0n && bytes < 2n ** 63n).toBe(true);
      }),
    );
  });
});
