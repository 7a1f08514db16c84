import type { ServiceDefinition } from '@grpc/grpc-js';

interface UnaryMethod {
  readonly requestStream: false;
  readonly responseStream: false;
}

/** Names of a service's unary methods. Streams (SnapshotMetadata only) are not offered yet. */
export type UnaryMethodOf<S extends ServiceDefinition> = {
  [K in keyof S]: S[K] extends UnaryMethod ? K : never;
}[keyof S];

export type RequestOf<Method> = Method extends { requestSerialize: (value: infer Request) => Buffer } ? Request : never;

export type ResponseOf<Method> = Method extends { responseSerialize: (value: infer Response) => Buffer }
  ? Response
  : never;
