import { type RpcCode, rpcError } from '@holdfast/rpc';
import { expect, it } from 'vitest';
import { judge, judgeModify } from './csi-calls.ts';

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

it.each<[RpcCode, string]>([
  ['Canceled', 'unknown'],
  ['DeadlineExceeded', 'unknown'],
  ['Unavailable', 'unknown'],
  ['Aborted', 'unknown'],
  ['ResourceExhausted', 'unknown'],
  ['InvalidArgument', 'final, infeasible'],
  // Unlike for an expansion, not what is wrong with the parameters.
  ['OutOfRange', 'final'],
  ['NotFound', 'final'],
  ['FailedPrecondition', 'final'],
  ['Internal', 'final'],
  ['Unimplemented', 'final'],
])('%s of ControllerModifyVolume is %s', (code, expected) => {
  const { isFinal, isInfeasible } = judgeModify(rpcError(code, 'no'));
  expect([isFinal ? 'final' : 'unknown', ...(isInfeasible ? ['infeasible'] : [])].join(', ')).toBe(expected);
});
