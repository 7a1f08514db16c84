import { type Logger, systemClock } from '@holdfast/core';
import { methodTypesOf, redactSecrets, stripSecrets } from '@holdfast/csi-spec';
import type { RpcCode } from './codes.ts';
import type { OperationMetrics } from './metrics.ts';
import { type RpcError, rpcError, toRpcError } from './rpc-error.ts';

export interface ObserveDeps {
  readonly log: Logger;
  readonly metrics: OperationMetrics | undefined;
  readonly driverName: () => string | undefined;
  /** How many characters of an answer are logged. Default: all, as for 0 and less. */
  readonly maxLoggedLength?: number;
  /** For the metrics; see `Operation`. */
  readonly isMigrated?: boolean | undefined;
}

/** Tells which reply belongs to which request where several calls are under way. */
let callsBegun = 0;

const notShown = '(not shown: no such method in the descriptors)';

/** As it is, or the beginning of its JSON. */
function capped(message: unknown, maxLength: number): unknown {
  if (maxLength <= 0) return message;
  const text = JSON.stringify(message, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  if (text.length <= maxLength) return message;
  return `${text.slice(0, maxLength)} (the first ${maxLength} of ${text.length} characters)`;
}

/** The error with the request's secrets struck out of its message; its cause is dropped with them when there were any. */
function withoutSecrets(error: RpcError, requestType: string, request: unknown): RpcError {
  const message = redactSecrets(error.message, requestType, request);
  return message === error.message ? error : rpcError(error.code, message);
}

/**
 * Runs one call, in a client or a server: logs request and reply at level 5 without their secrets, measures it, and
 * rejects with RpcError only.
 */
export async function observeCall<Response>(
  deps: ObserveDeps,
  method: string,
  request: unknown,
  call: () => Promise<Response>,
): Promise<Response> {
  const types = methodTypesOf(method);
  const shown = (type: string | undefined, message: unknown) =>
    type === undefined ? notShown : stripSecrets(type, message);
  const startedMs = systemClock.monotonicMs();
  const finish = (code: RpcCode) => {
    const seconds = (systemClock.monotonicMs() - startedMs) / 1000;
    deps.metrics?.observe({ method, code, seconds, driverName: deps.driverName(), isMigrated: deps.isMigrated });
  };

  callsBegun += 1;
  const id = callsBegun;
  deps.log.debug(5, 'GRPC call', { id, method, request: shown(types?.request, request) });
  try {
    const response = await call();
    finish('OK');
    deps.log.debug(5, 'GRPC response', {
      id,
      method,
      response: capped(shown(types?.response, response), deps.maxLoggedLength ?? 0),
    });
    return response;
  } catch (cause) {
    const error = withoutSecrets(toRpcError(cause), types?.request ?? '', request);
    finish(error.code);
    deps.log.debug(5, 'GRPC response', { id, method, error: error.toString() });
    throw error;
  }
}
