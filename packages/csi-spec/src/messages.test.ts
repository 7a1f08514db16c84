import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CapacityRange, CreateVolumeRequest, NodeService, RegistrationService, Snapshot } from './index.ts';

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

test('every int64 survives the wire', () => {
  fc.assert(
    fc.property(int64, int64, (requiredBytes, limitBytes) => {
      const range = { requiredBytes, limitBytes };
      expect(CapacityRange.decode(CapacityRange.encode(range).finish())).toEqual(range);
    }),
  );
});

test('a size beyond int64 is refused, not cut', () => {
  expect(() => CapacityRange.encode({ requiredBytes: 2n ** 63n, limitBytes: 0n }).finish()).toThrow('requiredBytes');
});

test('a time keeps its nanoseconds', () => {
  const creationTime = { seconds: 1_700_000_000n, nanos: 123_456_789 };
  const decoded = Snapshot.decode(Snapshot.encode(Snapshot.create({ creationTime })).finish());
  expect(decoded.creationTime).toEqual(creationTime);
});

test('bytes that are no message throw or decode, and never hang', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        expect(CreateVolumeRequest.decode(bytes)).toHaveProperty('volumeCapabilities');
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
  );
});

test('methods have the paths that Go clients call', () => {
  expect(NodeService.nodeGetVolumeStats.path).toBe('/csi.v1.Node/NodeGetVolumeStats');
  expect(RegistrationService.getInfo.path).toBe('/pluginregistration.Registration/GetInfo');
});
