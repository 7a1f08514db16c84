import { type RpcCode, rpcError } from '@holdfast/rpc';
import { expect, it } from 'vitest';
import { judge } from './csi-calls.ts';

it.each<[RpcCode, string]>([
  ['Canceled', 'unknown'],
  ['DeadlineExceeded', 'unknown'],
  ['Unavailable', 'unknown'],
  ['Aborted', 'unknown'],
  // Unlike for CreateVolume, room may turn up for the very same volume.
  ['ResourceExhausted', 'unknown'],
  ['InvalidArgument', 'final, infeasible'],
  ['OutOfRange', 'final, infeasible'],
  ['NotFound', 'final, infeasible'],
  ['FailedPrecondition', 'final, in use'],
  ['Internal', 'final'],
  ['Unknown', 'final'],
  ['AlreadyExists', 'final'],
  ['PermissionDenied', 'final'],
  ['Unimplemented', 'final'],
  ['DataLoss', 'final'],
  ['Unauthenticated', 'final'],
])('%s of ControllerExpandVolume is %s', (code, expected) => {
  const { isFinal, isInfeasible, isInUse } = judge(rpcError(code, 'no'));
  const parts = [
    isFinal ? 'final' : 'unknown',
    ...(isInfeasible ? ['infeasible'] : []),
    ...(isInUse ? ['in use'] : []),
  ];
  expect(parts.join(', ')).toBe(expected);
});
