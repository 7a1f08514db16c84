import type { KubeObject } from './object.ts';

export type JsonPatchOperation =
  | { op: 'add' | 'replace' | 'test'; path: string; value: unknown }
  | { op: 'remove'; path: string }
  | { op: 'move' | 'copy'; from: string; path: string };

export type Patch =
  | { kind: 'json'; operations: JsonPatchOperation[] }
  | { kind: 'merge'; body: object }
  | { kind: 'strategic'; body: object }
  | { kind: 'apply'; body: object; force?: boolean };

const FINALIZERS = '/metadata/finalizers';

/**
 * Adds one finalizer and touches no other: a whole-list patch would undo what others did since we last read
 * (kubernetes-csi/external-provisioner#1217). Undefined when the finalizer is there already.
 *
 * The patch is refused (422) when the list is no longer the one seen, so that a finalizer never stands there twice. Where
 * there was none, only the resourceVersion proves that there is still none. The caller reads again.
 */
export function addFinalizerPatch(object: KubeObject, finalizer: string): Patch | undefined {
  const seen = object.metadata.finalizers ?? [];
  if (seen.includes(finalizer)) return undefined;
  const operations: JsonPatchOperation[] =
    seen.length === 0
      ? [sameVersion(object), { op: 'add', path: FINALIZERS, value: [finalizer] }]
      : [
          sameObject(object),
          { op: 'test', path: FINALIZERS, value: seen },
          { op: 'add', path: `${FINALIZERS}/-`, value: finalizer },
        ];
  return { kind: 'json', operations };
}

/**
 * Removes one finalizer by its index, guarded by a `test` that it still stands there: when the list has moved the whole
 * patch fails with 422 and nothing is changed. Undefined when the finalizer is not there.
 */
export function removeFinalizerPatch(object: KubeObject, finalizer: string): Patch | undefined {
  const index = object.metadata.finalizers?.indexOf(finalizer) ?? -1;
  if (index < 0) return undefined;
  const path = `${FINALIZERS}/${index}`;
  return {
    kind: 'json',
    operations: [sameObject(object), { op: 'test', path, value: finalizer }, { op: 'remove', path }],
  };
}

/** Refuses the patch (422) for a new object of the same name, which is not the one we decided about. */
export function sameObject(object: KubeObject): JsonPatchOperation {
  return { op: 'test', path: '/metadata/uid', value: object.metadata.uid };
}

/** Refuses the patch (422) once the object has changed in any way since it was read. */
export function sameVersion(object: KubeObject): JsonPatchOperation {
  return { op: 'test', path: '/metadata/resourceVersion', value: object.metadata.resourceVersion };
}

/** Escapes one token of a JSON pointer (RFC 6901 §3). */
export function escapeJsonPointer(text: string): string {
  return text.replaceAll('~', '~0').replaceAll('/', '~1');
}
