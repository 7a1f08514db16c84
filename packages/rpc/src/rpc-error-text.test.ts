import { expect, it } from 'vitest';
import { rpcError } from './rpc-error.ts';
import { rpcErrorText } from './rpc-error-text.ts';

it('writes a failed call as upstream does', () => {
  expect(rpcErrorText(rpcError('OutOfRange', 'too big'))).toBe('rpc error: code = OutOfRange desc = too big');
});
