import type { handleUnaryCall, MethodDefinition } from '@grpc/grpc-js';
import { errorMessage, isAbort } from '@holdfast/core';
import { methodTypesOf, redactSecrets } from '@holdfast/csi-spec';
import { codeNumber } from './codes.ts';
import { type ObserveDeps, observeCall } from './observe.ts';
import { RpcError, rpcError, toRpcError } from './rpc-error.ts';
import type { CallContext, UntypedHandler } from './service.ts';

/**
 * An error that chose no code is a fault of the server: its stack goes to the log, its message to the caller. To stop when
 * the caller went away is no fault.
 */
export function logUnexpected(
  deps: ObserveDeps,
  { method, signal }: CallContext,
  request: unknown,
  error: unknown,
): void {
  if (error instanceof RpcError || isAbort(error, signal)) return;
  const text = error instanceof Error ? (error.stack ?? error.message) : errorMessage(error);
  deps.log.error('GRPC handler failed', {
    method,
    error: redactSecrets(text, methodTypesOf(method)?.request ?? '', request),
  });
}

/**
 * One of our handlers in the form grpc-js calls. The answer is handed over encoded: grpc-js would tell neither the log nor
 * the caller what is wrong with an answer that cannot be.
 */
export function unaryHandler(
  deps: ObserveDeps,
  { path: method, responseSerialize }: MethodDefinition<unknown, unknown>,
  handler: UntypedHandler | undefined,
): handleUnaryCall<unknown, Buffer> {
  return (call, answer) => {
    const canceled = new AbortController();
    call.on('cancelled', () => canceled.abort(rpcError('Canceled', 'the caller went away or its deadline passed')));
    const deadlineMs = Number(call.getDeadline());
    const context: CallContext = {
      method,
      signal: canceled.signal,
      ...(Number.isFinite(deadlineMs) && { deadlineMs }),
    };

    let encoded: Buffer | undefined;
    const run = async (): Promise<unknown> => {
      if (handler === undefined) throw rpcError('Unimplemented', `${method} is not implemented`);
      try {
        const response = await handler(call.request, context);
        encoded = responseSerialize(response);
        return response;
      } catch (error) {
        logUnexpected(deps, context, call.request, error);
        throw error;
      }
    };
    observeCall(deps, method, call.request, run).then(
      () => answer(null, encoded),
      (thrown: unknown) => {
        const error = toRpcError(thrown);
        answer({ code: codeNumber(error.code), details: error.message });
      },
    );
  };
}
