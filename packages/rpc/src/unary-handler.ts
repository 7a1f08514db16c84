import type { handleUnaryCall } from '@grpc/grpc-js';
import { errorMessage } from '@holdfast/core';
import { methodTypesOf, redactSecrets } from '@holdfast/csi-spec';
import { codeNumber } from './codes.ts';
import { type ObserveDeps, observeCall } from './observe.ts';
import { RpcError, rpcError, toRpcError } from './rpc-error.ts';
import type { CallContext, ServiceBinding } from './service.ts';

type Handler = NonNullable<ReturnType<ServiceBinding['handlers']['get']>>;

/** An error that chose no code is a fault of the server: its stack goes to the log, its message to the caller. */
function logUnexpected(deps: ObserveDeps, method: string, request: unknown, error: unknown): void {
  if (error instanceof RpcError) return;
  const text = error instanceof Error ? (error.stack ?? error.message) : errorMessage(error);
  deps.log.error('GRPC handler failed', {
    method,
    error: redactSecrets(text, methodTypesOf(method)?.request ?? '', request),
  });
}

/** One of our handlers in the form grpc-js calls. */
export function unaryHandler(
  deps: ObserveDeps,
  method: string,
  handler: Handler | undefined,
): handleUnaryCall<unknown, unknown> {
  return (call, answer) => {
    const canceled = new AbortController();
    call.on('cancelled', () => canceled.abort(rpcError('Canceled', 'the caller went away or its deadline passed')));
    const deadlineMs = Number(call.getDeadline());
    const context: CallContext = {
      method,
      signal: canceled.signal,
      ...(Number.isFinite(deadlineMs) && { deadlineMs }),
    };

    const run = async (): Promise<unknown> => {
      if (handler === undefined) throw rpcError('Unimplemented', `${method} is not implemented`);
      try {
        return await handler(call.request, context);
      } catch (error) {
        logUnexpected(deps, method, call.request, error);
        throw error;
      }
    };
    observeCall(deps, method, call.request, run).then(
      (response) => answer(null, response),
      (thrown: unknown) => {
        const error = toRpcError(thrown);
        answer({ code: codeNumber(error.code), details: error.message });
      },
    );
  };
}
