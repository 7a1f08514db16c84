import type { ServiceDefinition } from '@grpc/grpc-js';

interface UnaryMethod {
  readonly requestStream: false;
  readonly responseStream: false;
}

interface ServerStreamMethod {
  readonly requestStream: false;
  readonly responseStream: true;
}

/** Names of the methods that answer with a stream: SnapshotMetadata's. */
export type StreamMethodOf<S extends ServiceDefinition> = {
  [K in keyof S]: S[K] extends ServerStreamMethod ? K : never;
}[keyof S];

/** Names of a service's unary methods. */
export type UnaryMethodOf<S extends ServiceDefinition> = {
  [K in keyof S]: S[K] extends UnaryMethod ? K : never;
}[keyof S];

export type RequestOf<Method> = Method extends { requestSerialize: (value: infer Request) => Buffer } ? Request : never;

export type ResponseOf<Method> = Method extends { responseSerialize: (value: infer Response) => Buffer }
  ? Response
  : never;
