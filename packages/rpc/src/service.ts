import type { ServiceDefinition } from '@grpc/grpc-js';
import type { RequestOf, ResponseOf, StreamMethodOf, UnaryMethodOf } from './method.ts';

export interface CallContext {
  /** Full method, such as `/csi.v1.Node/NodePublishVolume`. */
  readonly method: string;
  /** The caller's deadline in milliseconds since 1970; undefined when it set none. */
  readonly deadlineMs?: number;
  /** Aborts when the caller went away or its deadline passed: nobody reads the answer any more. */
  readonly signal: AbortSignal;
}

/** The methods a server implements; it answers Unimplemented for the others. */
export type Handlers<S extends ServiceDefinition> = {
  [K in UnaryMethodOf<S>]?: (request: RequestOf<S[K]>, context: CallContext) => Promise<ResponseOf<S[K]>>;
} & {
  [K in StreamMethodOf<S>]?: (request: RequestOf<S[K]>, context: CallContext) => AsyncIterable<ResponseOf<S[K]>>;
};

export type UntypedHandler = (request: unknown, context: CallContext) => Promise<unknown> | AsyncIterable<unknown>;

/** A service with its handlers. Their types were checked by `bindService` and are gone here. */
export interface ServiceBinding {
  readonly service: ServiceDefinition;
  readonly handlers: ReadonlyMap<string, UntypedHandler>;
}

export function bindService<S extends ServiceDefinition>(service: S, handlers: Handlers<S>): ServiceBinding {
  return { service, handlers: new Map(Object.entries(handlers)) };
}
