import { DeadlineError, errorMessage } from '@holdfast/core';
import { codeFromNumber, isFinalCode, type RpcCode } from './codes.ts';

/**
 * The one error at the RPC edge: what a client's call rejects with, and what a server's handler throws to choose a code.
 * `message` is for people and has no code in front; `toString()` has.
 */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: RpcCode;
  /** False when the operation may still be running in the driver. */
  readonly isFinal: boolean;

  constructor(code: RpcCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.isFinal = isFinalCode(code);
  }

  override toString(): string {
    return `${this.code}: ${this.message}`;
  }
}

export function rpcError(code: RpcCode, message: string, options?: { cause?: unknown }): RpcError {
  return new RpcError(code, message, options);
}

/**
 * grpc-js rejects with these; errors of Node itself have a text as code. Such an error is not kept as a cause: it says the
 * same again, as `5 NOT_FOUND: …`.
 */
function isStatus(error: unknown): error is { code: number; details: string } {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'number' &&
    'details' in error &&
    typeof error.details === 'string'
  );
}

/** grpc-js's words for a failed connect, without its notes about name resolution, which a unix socket has none of. */
function plainDetails(details: string): string {
  const systemError = /^No connection established\. Last error: (?:Error: )?(.*)\. Resolution note: /.exec(
    details,
  )?.[1];
  return systemError === undefined ? details : `no connection: ${systemError}`;
}

/** The single door in: whatever was thrown, as an RpcError. What has no gRPC status becomes Internal. */
export function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (isStatus(error)) return rpcError(codeFromNumber(error.code), plainDetails(error.details));
  if (error instanceof DeadlineError) return rpcError('DeadlineExceeded', error.message, { cause: error });
  if (error instanceof Error && error.name === 'TimeoutError') {
    return rpcError('DeadlineExceeded', error.message, { cause: error });
  }
  if (error instanceof Error && error.name === 'AbortError')
    return rpcError('Canceled', error.message, { cause: error });
  return rpcError('Internal', errorMessage(error), { cause: error });
}
