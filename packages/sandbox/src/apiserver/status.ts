import type { FieldError } from './field-errors.ts';
import type { JsonObject } from './json.ts';

/** Names a resource the way messages do: `persistentvolumeclaims` or `storageclasses.storage.k8s.io`. */
export interface ResourceName {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

/** A failure the client is told of as a metav1.Status. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: JsonObject | undefined;

  constructor(code: number, reason: string, message: string, details?: JsonObject) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.reason = reason;
    this.details = details;
  }
}

export function statusBody(error: ApiError): JsonObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: error.message,
    ...(error.reason === '' ? {} : { reason: error.reason }),
    ...(error.details === undefined ? {} : { details: error.details }),
    code: error.code,
  };
}

function qualified(name: string, group: string): string {
  return group === '' ? name : `${name}.${group}`;
}

/** In Status details `kind` carries the plural, except for Invalid where it is the kind. Upstream does so too. */
function detailsOf(resource: ResourceName, name: string): JsonObject {
  return {
    ...(name === '' ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.plural,
  };
}

function label(resource: ResourceName, name: string): string {
  return `${qualified(resource.plural, resource.group)} ${JSON.stringify(name)}`;
}

export function notFound(resource: ResourceName, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${label(resource, name)} not found`, detailsOf(resource, name));
}

export function alreadyExists(
  resource: ResourceName,
  name: string,
  existing?: { metadata: { deletionTimestamp?: string } },
): ApiError {
  const isGoing = existing?.metadata.deletionTimestamp !== undefined;
  const message = `${isGoing ? 'object is being deleted: ' : ''}${label(resource, name)} already exists`;
  return new ApiError(409, 'AlreadyExists', message, detailsOf(resource, name));
}

export function conflict(resource: ResourceName, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${label(resource, name)}: ${why}`;
  return new ApiError(409, 'Conflict', message, detailsOf(resource, name));
}

/** A write that names a uid which is not the object's, in the words of the storage layer below upstream's registry. */
export function wrongUid(
  resource: ResourceName,
  { metadata }: { metadata: { name: string; namespace?: string; uid: string } },
  asked: string,
): ApiError {
  const { name, namespace, uid } = metadata;
  const key = ['/registry', resource.plural, ...(namespace === undefined ? [] : [namespace]), name].join('/');
  const failed = `Precondition failed: UID in precondition: ${asked}, UID in object meta: ${uid}`;
  const why = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${failed}`;
  return conflict(resource, name, why);
}

export const STALE = 'the object has been modified; please apply your changes to the latest version and try again';

export function forbidden(resource: ResourceName, name: string, why: string): ApiError {
  return new ApiError(403, 'Forbidden', `${label(resource, name)} is forbidden: ${why}`, detailsOf(resource, name));
}

export function invalid(resource: ResourceName, name: string, errors: readonly FieldError[]): ApiError {
  const lines = [...new Set(errors.map((error) => `${error.field}: ${error.message}`))];
  const what = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
  return new ApiError(
    422,
    'Invalid',
    `${qualified(resource.kind, resource.group)} ${JSON.stringify(name)} is invalid: ${what}`,
    {
      ...(name === '' ? {} : { name }),
      ...(resource.group === '' ? {} : { group: resource.group }),
      kind: resource.kind,
      causes: errors.map(({ reason, message, field }) => ({ reason, message, field })),
    },
  );
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

export function unauthorized(): ApiError {
  return new ApiError(401, 'Unauthorized', 'Unauthorized');
}

export function noSuchPath(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function methodNotAllowed(): ApiError {
  return new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

/** A PATCH of a type there is not: upstream's router answers it, with fewer words. */
export function unsupportedPatchType(): ApiError {
  return new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
}

export function unsupportedMediaType(message: string): ApiError {
  return new ApiError(415, 'UnsupportedMediaType', message);
}

/** The history a client asks for is gone; it must list again (410). */
export function expired(message: string): ApiError {
  return new ApiError(410, 'Expired', message);
}

/** The client has seen a newer state than this server holds, as after a restart. */
export function tooLargeResourceVersion(asked: number, current: number): ApiError {
  return new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}
