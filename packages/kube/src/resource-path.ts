import { KubeError } from './kube-error.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import { apiVersionOf, type Resource } from './resources.ts';

/** The collection's path: over all namespaces when `namespace` is left out. */
export function collectionPath(resource: Resource<KubeObject>, namespace?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${apiVersionOf(resource)}`;
  if (!resource.isNamespaced || namespace === undefined) return `${root}/${resource.plural}`;
  return `${root}/namespaces/${pathSegment(namespace, `namespace of ${resource.kind}`)}/${resource.plural}`;
}

/** The path of one object. A name that would change which object the path means is refused before anything is sent. */
export function objectPath(resource: Resource<KubeObject>, ref: ObjectRef, subresource?: string): string {
  if (resource.isNamespaced && !ref.namespace) {
    throw badRequest(`${resource.kind} "${ref.name}" needs a namespace: set it in the reference`);
  }
  const name = pathSegment(ref.name, `name of ${resource.kind}`);
  const path = `${collectionPath(resource, ref.namespace)}/${name}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** The rule of apimachinery's IsValidPathSegmentName. An empty name would address the whole collection. */
function pathSegment(text: string, what: string): string {
  if (text === '' || text === '.' || text === '..' || /[/%]/.test(text)) {
    throw badRequest(`the ${what} is ${JSON.stringify(text)}: it must not be empty, ".", ".." or contain "/" or "%"`);
  }
  return encodeURIComponent(text);
}

function badRequest(message: string): KubeError {
  return new KubeError({ status: 400, reason: 'BadRequest', message });
}
