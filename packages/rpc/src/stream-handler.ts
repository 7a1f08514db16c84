import { once } from 'node:events';
import type { handleServerStreamingCall, MethodDefinition } from '@grpc/grpc-js';
import { codeNumber } from './codes.ts';
import { type ObserveDeps, observeCall } from './observe.ts';
import { rpcError, toRpcError } from './rpc-error.ts';
import type { CallContext, UntypedHandler } from './service.ts';
import { logUnexpected } from './unary-handler.ts';

/**
 * One of our handlers in the form grpc-js calls, for a method that answers with a stream. It makes the next answer when the caller
 * has taken the last, so that a slow reader of a long stream costs no memory.
 */
export function streamHandler(
  deps: ObserveDeps,
  { path: method, responseSerialize }: MethodDefinition<unknown, unknown>,
  handler: UntypedHandler | undefined,
): handleServerStreamingCall<unknown, Buffer> {
  return (call) => {
    const canceled = new AbortController();
    call.on('cancelled', () => canceled.abort(rpcError('Canceled', 'the caller went away or its deadline passed')));
    const { signal } = canceled;
    const deadlineMs = Number(call.getDeadline());
    const context: CallContext = { method, signal, ...(Number.isFinite(deadlineMs) && { deadlineMs }) };

    const run = async (): Promise<object> => {
      const answers = handler?.(call.request, context);
      if (answers === undefined || !(Symbol.asyncIterator in answers)) {
        throw rpcError('Unimplemented', `${method} is not implemented`);
      }
      try {
        for await (const answer of answers) {
          signal.throwIfAborted();
          if (!call.write(responseSerialize(answer))) await once(call, 'drain', { signal });
        }
        return {};
      } catch (error) {
        logUnexpected(deps, context, call.request, error);
        throw error;
      }
    };
    observeCall(deps, method, call.request, run).then(
      () => call.end(),
      (thrown: unknown) => {
        const error = toRpcError(thrown);
        call.emit('error', { code: codeNumber(error.code), details: error.message });
      },
    );
  };
}
