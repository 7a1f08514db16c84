import {
  type Client as GrpcClient,
  Metadata,
  type MethodDefinition,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import { formatGoDuration } from '@holdfast/core';
import type { RequestOf, ResponseOf, UnaryMethodOf } from './method.ts';
import { type ObserveDeps, observeCall } from './observe.ts';
import { rpcError, toRpcError } from './rpc-error.ts';

export interface CallOptions {
  /** How long to wait for the answer, connecting included. */
  timeoutMs: number;
  signal?: AbortSignal;
  /** The volume is one of an in-tree plug-in: counted apart where the connection says so. */
  isMigrated?: boolean;
}

/** The unary methods of a service. Each rejects with RpcError and nothing else. */
export type Client<S extends ServiceDefinition> = {
  [K in UnaryMethodOf<S>]: (request: RequestOf<S[K]>, options: CallOptions) => Promise<ResponseOf<S[K]>>;
};

function canceled(signal: AbortSignal) {
  const reason = toRpcError(signal.reason);
  const code = reason.code === 'DeadlineExceeded' ? reason.code : 'Canceled';
  return rpcError(code, `the call was given up: ${reason.message}`, { cause: signal.reason });
}

function unaryCall<Request, Response>(
  grpcClient: GrpcClient,
  method: MethodDefinition<Request, Response>,
  request: Request,
  { timeoutMs, signal }: CallOptions,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    if (!(timeoutMs > 0)) throw rpcError('Internal', `timeoutMs must be more than 0, got ${timeoutMs}`);
    if (signal?.aborted) throw canceled(signal);
    const deadline = Date.now() + timeoutMs;
    const call = grpcClient.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      new Metadata(),
      { deadline },
      (error, response) => {
        signal?.removeEventListener('abort', onAbort);
        if (error === null && response !== undefined) resolve(response);
        else if (signal?.aborted) reject(canceled(signal));
        else if (error?.code === status.DEADLINE_EXCEEDED && Date.now() >= deadline) {
          reject(rpcError('DeadlineExceeded', `no answer within ${formatGoDuration(timeoutMs)}`));
        } else reject(toRpcError(error ?? rpcError('Internal', 'the answer holds no message')));
      },
    );
    const onAbort = () => call.cancel();
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function withMigration(deps: ClientDeps, { isMigrated = false }: CallOptions): ObserveDeps {
  return deps.isMigrationCounted() ? { ...deps, isMigrated } : deps;
}

function hasEveryMethod<S extends ServiceDefinition>(service: S, methods: object): methods is Client<S> {
  return Object.entries(service).every(
    ([name, { requestStream, responseStream }]) => requestStream || responseStream || name in methods,
  );
}

export interface ClientDeps extends Omit<ObserveDeps, 'isMigrated'> {
  readonly isMigrationCounted: () => boolean;
  readonly isClosed: () => boolean;
}

export function createClient<S extends ServiceDefinition>(
  grpcClient: GrpcClient,
  service: S,
  deps: ClientDeps,
): Client<S> {
  const unary = Object.entries(service).filter(([, method]) => !method.requestStream && !method.responseStream);
  const methods = Object.fromEntries(
    unary.map(([name, method]) => [
      name,
      (request: unknown, options: CallOptions): Promise<unknown> =>
        observeCall(withMigration(deps, options), method.path, request, () => {
          // As grpc-go: it is the caller who ended this.
          if (deps.isClosed()) throw rpcError('Canceled', 'the connection is closed');
          return unaryCall(grpcClient, method, request, options);
        }),
    ]),
  );
  if (!hasEveryMethod(service, methods)) throw new Error('a service definition has a method of no kind');
  return methods;
}
