import { rpcError } from '@holdfast/rpc';
import { expect, it } from 'vitest';
import { rpcErrorText } from './rpc-error-text.ts';

it('writes a failed call as upstream does', () => {
  expect(rpcErrorText(rpcError('OutOfRange', 'too big'))).toBe('rpc error: code = OutOfRange desc = too big');
});
