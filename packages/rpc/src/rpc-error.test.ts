import { DeadlineError } from '@holdfast/core';
import { describe, expect, test } from 'vitest';
import { codeFromNumber, codeNumber, isFinalCode, type RpcCode, rpcError, toRpcError } from './index.ts';

const goNames: RpcCode[] = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

test('codes have the numbers of the gRPC specification', () => {
  expect(goNames.map(codeNumber)).toEqual(goNames.map((_, number) => number));
  expect(goNames.map((_, number) => codeFromNumber(number))).toEqual(goNames);
  expect(codeFromNumber(99)).toBe('Unknown');
});

test('five codes leave open whether the operation still runs', () => {
  expect(goNames.filter((code) => !isFinalCode(code))).toEqual([
    'Canceled',
    'DeadlineExceeded',
    'ResourceExhausted',
    'Aborted',
    'Unavailable',
  ]);
});

describe('toRpcError', () => {
  test('keeps an RpcError as it is', () => {
    const error = rpcError('NotFound', 'no volume vol-1');
    expect(toRpcError(error)).toBe(error);
  });

  test.each([
    [{ code: 5, details: 'no volume' }, 'NotFound: no volume'],
    [{ code: 4711, details: 'odd' }, 'Unknown: odd'],
    [Object.assign(new Error('no such file'), { code: 'ENOENT' }), 'Internal: no such file'],
    [new DeadlineError(5), 'DeadlineExceeded: deadline of 5 ms exceeded'],
    [new DOMException('stop', 'AbortError'), 'Canceled: stop'],
    [new DOMException('late', 'TimeoutError'), 'DeadlineExceeded: late'],
    ['text', 'Internal: text'],
    [undefined, 'Internal: undefined'],
  ])('%o becomes %s', (thrown, expected) => {
    expect(String(toRpcError(thrown))).toBe(expected);
  });

  test('keeps what it was as the cause', () => {
    const cause = new Error('disk full');
    expect(toRpcError(cause).cause).toBe(cause);
  });
});
