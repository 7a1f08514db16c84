import {
  type Client as GrpcClient,
  Metadata,
  type MethodDefinition,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import { formatGoDuration } from '@holdfast/core';
import type { RequestOf, ResponseOf, StreamMethodOf, UnaryMethodOf } from './method.ts';
import { type ObserveDeps, observeCall } from './observe.ts';
import { rpcError, toRpcError } from './rpc-error.ts';

export interface CallOptions {
  /** How long to wait for the answer, connecting included. */
  timeoutMs: number;
  signal?: AbortSignal;
  /** The volume is one of an in-tree plug-in: counted apart where the connection says so. */
  isMigrated?: boolean;
}

/** The methods of a service. Each rejects with RpcError and nothing else; a stream is called when it is first read from. */
export type Client<S extends ServiceDefinition> = {
  [K in UnaryMethodOf<S>]: (request: RequestOf<S[K]>, options: CallOptions) => Promise<ResponseOf<S[K]>>;
} & {
  [K in StreamMethodOf<S>]: (request: RequestOf<S[K]>, options: CallOptions) => AsyncIterable<ResponseOf<S[K]>>;
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

/** Answers as they come. Whoever stops reading ends the call. */
async function* streamCall(
  grpcClient: GrpcClient,
  method: MethodDefinition<unknown, unknown>,
  request: unknown,
  options: CallOptions,
  deps: ClientDeps,
): AsyncGenerator {
  const { timeoutMs, signal } = options;
  const ended = Promise.withResolvers<object>();
  const observed = observeCall(withMigration(deps, options), method.path, request, () => ended.promise);
  // Who waits for it waits below.
  observed.catch(() => undefined);
  if (deps.isClosed()) ended.reject(rpcError('Canceled', 'the connection is closed'));
  else if (signal?.aborted) ended.reject(canceled(signal));
  else {
    const call = grpcClient.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      new Metadata(),
      { deadline: Date.now() + timeoutMs },
    );
    const onAbort = () => call.cancel();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      for await (const response of call) yield response;
    } catch (error) {
      ended.reject(signal?.aborted === true ? canceled(signal) : toRpcError(error));
    } finally {
      signal?.removeEventListener('abort', onAbort);
      call.cancel();
      ended.resolve({});
    }
  }
  await observed;
}

function hasEveryMethod<S extends ServiceDefinition>(service: S, methods: object): methods is Client<S> {
  return Object.entries(service).every(([name, { requestStream }]) => requestStream || name in methods);
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
  const offered = Object.entries(service).filter(([, method]) => !method.requestStream);
  const methods = Object.fromEntries(
    offered.map(([name, method]) => [
      name,
      (request: unknown, options: CallOptions): Promise<unknown> | AsyncIterable<unknown> =>
        method.responseStream
          ? streamCall(grpcClient, method, request, options, deps)
          : observeCall(withMigration(deps, options), method.path, request, () => {
              // As grpc-go: it is the caller who ended this.
              if (deps.isClosed()) throw rpcError('Canceled', 'the connection is closed');
              return unaryCall(grpcClient, method, request, options);
            }),
    ]),
  );
  if (!hasEveryMethod(service, methods)) throw new Error('a service definition has a method of no kind');
  return methods;
}
