import { type RpcCode, rpcError } from '@holdfast/rpc';
import { describe, expect, it } from 'vitest';
import { createFailure } from './csi-calls.ts';

describe('createFailure', () => {
  const inBackground: RpcCode[] = ['Canceled', 'DeadlineExceeded', 'Unavailable', 'Aborted'];
  const final: RpcCode[] = [
    'Unknown',
    'InvalidArgument',
    'NotFound',
    'AlreadyExists',
    'PermissionDenied',
    'FailedPrecondition',
    'OutOfRange',
    'Unimplemented',
    'Internal',
    'DataLoss',
    'Unauthenticated',
  ];

  it.each(inBackground)('keeps a volume in mind after %s', (code) => {
    expect(createFailure(rpcError(code, 'x')).kind).toBe('inBackground');
  });

  it.each(final)('is done after %s', (code) => {
    expect(createFailure(rpcError(code, 'x'))).toMatchObject({
      kind: 'final',
      isInfeasible: code === 'InvalidArgument',
    });
  });

  it('tells lack of room apart', () => {
    expect(createFailure(rpcError('ResourceExhausted', 'x')).kind).toBe('exhausted');
  });
});
