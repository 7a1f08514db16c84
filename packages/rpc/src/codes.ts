import { status } from '@grpc/grpc-js';

/** gRPC status codes by the names Go programs print, which are also the values of the metrics' `grpc_status_code`. */
const numbers = {
  OK: status.OK,
  Canceled: status.CANCELLED,
  Unknown: status.UNKNOWN,
  InvalidArgument: status.INVALID_ARGUMENT,
  DeadlineExceeded: status.DEADLINE_EXCEEDED,
  NotFound: status.NOT_FOUND,
  AlreadyExists: status.ALREADY_EXISTS,
  PermissionDenied: status.PERMISSION_DENIED,
  ResourceExhausted: status.RESOURCE_EXHAUSTED,
  FailedPrecondition: status.FAILED_PRECONDITION,
  Aborted: status.ABORTED,
  OutOfRange: status.OUT_OF_RANGE,
  Unimplemented: status.UNIMPLEMENTED,
  Internal: status.INTERNAL,
  Unavailable: status.UNAVAILABLE,
  DataLoss: status.DATA_LOSS,
  Unauthenticated: status.UNAUTHENTICATED,
} as const;

export type RpcCode = keyof typeof numbers;

function isRpcCode(name: string): name is RpcCode {
  return Object.hasOwn(numbers, name);
}

const names = new Map<number, RpcCode>(
  Object.entries(numbers).flatMap(([name, number]) => (isRpcCode(name) ? [[number, name] as const] : [])),
);

export function codeNumber(code: RpcCode): status {
  return numbers[code];
}

/** A number that gRPC does not define counts as Unknown, as in grpc-go's view of such a reply. */
export function codeFromNumber(number: number): RpcCode {
  return names.get(number) ?? 'Unknown';
}

/** After these the operation may still be running in the driver, so nothing may be cleaned up on their account. */
const notFinal: ReadonlySet<RpcCode> = new Set([
  'Canceled',
  'DeadlineExceeded',
  'Unavailable',
  'ResourceExhausted',
  'Aborted',
]);

export function isFinalCode(code: RpcCode): boolean {
  return !notFinal.has(code);
}
