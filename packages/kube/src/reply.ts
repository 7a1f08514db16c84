import { KubeError } from './kube-error.ts';
import type { KubeObject } from './object.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import { describeBody, isRecord } from './status.ts';

export interface ListPage<T> {
  items: T[];
  resourceVersion: string;
  continueToken?: string;
}

/** Whether a value has what every object has. What lies deeper is the server's promise, not checked again here. */
export function isObject<T extends KubeObject>(value: unknown, _resource: Resource<T>): value is T {
  return isRecord(value) && isRecord(value.metadata) && typeof value.metadata.name === 'string';
}

/** Parses the body of a success. @throws KubeError that names the request, never the body */
export function parseReply(body: string, context: { request: string; status: number; contentType: string }): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw notKubernetes(
      context.status,
      `${context.request} answered ${context.status} with ${describeBody(body, context.contentType)} where JSON was expected`,
    );
  }
}

export function objectReply<T extends KubeObject>(reply: unknown, resource: Resource<T>, request: string): T {
  if (isObject(reply, resource)) return reply;
  throw notKubernetes(200, `${request} answered with JSON that is not a ${resource.kind}`);
}

/** Items of a list come without kind and apiVersion; they are filled in, so that every object names itself. */
export function listReply<T extends KubeObject>(reply: unknown, resource: Resource<T>, request: string): ListPage<T> {
  const metadata = isRecord(reply) ? reply.metadata : undefined;
  const items = isRecord(reply) ? (reply.items ?? []) : undefined;
  if (!isRecord(metadata) || !Array.isArray(items)) {
    throw notKubernetes(200, `${request} answered with JSON that is not a list of ${resource.kind}`);
  }
  const apiVersion = apiVersionOf(resource);
  const objects = items.map((item: unknown) => {
    const object = objectReply(item, resource, request);
    object.apiVersion ??= apiVersion;
    object.kind ??= resource.kind;
    return object;
  });
  const continueToken = metadata.continue;
  return {
    items: objects,
    resourceVersion: typeof metadata.resourceVersion === 'string' ? metadata.resourceVersion : '',
    ...(typeof continueToken === 'string' && continueToken !== '' ? { continueToken } : {}),
  };
}

function notKubernetes(status: number, message: string): KubeError {
  return new KubeError({ status, reason: '', message: `${message}: is a proxy or another server in between?` });
}
