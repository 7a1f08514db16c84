import { formatBytes } from '@holdfast/core';
import type { CapacityRange } from '@holdfast/csi-spec';
import { rpcError } from '@holdfast/rpc';
import type { SizeRules } from './backend.ts';

/**
 * The size to make for a capacity range, CSI spec "CapacityRange": at least required_bytes, at most limit_bytes, zero meaning unset.
 * @throws RpcError InvalidArgument for a range that contradicts itself, OutOfRange for one that cannot be met.
 */
export function sizeWithin(range: CapacityRange | undefined, rules: SizeRules): bigint {
  const { required, limit } = checkRange(range);
  const { defaultBytes, minimumBytes, maximumBytes, stepBytes } = rules;
  if (required > maximumBytes) {
    throw rpcError(
      'OutOfRange',
      `${bytes(required)} were asked for, the largest volume here is ${bytes(maximumBytes)}`,
    );
  }
  if (required > 0n && required < minimumBytes) {
    throw rpcError(
      'OutOfRange',
      `${bytes(required)} were asked for, the smallest volume here is ${bytes(minimumBytes)}`,
    );
  }
  if (limit > 0n && limit < minimumBytes) {
    throw rpcError('OutOfRange', `the limit is ${bytes(limit)}, the smallest volume here is ${bytes(minimumBytes)}`);
  }
  if (required === 0n) {
    const wanted = smallest(defaultBytes < minimumBytes ? minimumBytes : defaultBytes, maximumBytes);
    return roundDown(limit > 0n ? smallest(wanted, limit) : wanted, stepBytes);
  }
  const size = roundUp(required, stepBytes);
  if (limit > 0n && size > limit) {
    throw rpcError('OutOfRange', `no multiple of ${stepBytes} bytes lies between ${required} and ${limit} bytes`);
  }
  return size;
}

export function checkRange(range: CapacityRange | undefined): { required: bigint; limit: bigint } {
  const required = range?.requiredBytes ?? 0n;
  const limit = range?.limitBytes ?? 0n;
  if (required < 0n || limit < 0n) {
    throw rpcError('InvalidArgument', `capacity_range must not be negative: required ${required}, limit ${limit}`);
  }
  if (limit > 0n && required > limit) {
    throw rpcError(
      'InvalidArgument',
      `capacity_range contradicts itself: required ${required} is above limit ${limit}`,
    );
  }
  return { required, limit };
}

export function isWithin(sizeBytes: bigint, range: CapacityRange | undefined): boolean {
  const { required, limit } = checkRange(range);
  return sizeBytes >= required && (limit === 0n || sizeBytes <= limit);
}

function bytes(size: bigint): string {
  return `${formatBytes(size)} (${size} bytes)`;
}

function smallest(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function roundUp(size: bigint, step: bigint): bigint {
  return ((size + step - 1n) / step) * step;
}

function roundDown(size: bigint, step: bigint): bigint {
  return size - (size % step);
}
