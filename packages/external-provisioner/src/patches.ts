import {
  escapeJsonPointer,
  type JsonPatchOperation,
  type KubeObject,
  type Patch,
  type PersistentVolumeClaim,
  sameObject,
} from '@holdfast/kube';
import { annotations } from './names.ts';

/**
 * Removes several finalizers in one write and touches no other. Each removal is guarded by a `test`, so a list that has
 * changed since fails the patch as a whole. Undefined when none of them is there.
 */
export function removeFinalizersPatch(object: KubeObject, finalizers: readonly string[]): Patch | undefined {
  const present = object.metadata.finalizers ?? [];
  // From the end, so that the indexes before it still hold.
  const operations = [...present.entries()]
    .reverse()
    .filter(([, finalizer]) => finalizers.includes(finalizer))
    .flatMap(([index, finalizer]): JsonPatchOperation[] => {
      const path = `/metadata/finalizers/${index}`;
      return [
        { op: 'test', path, value: finalizer },
        { op: 'remove', path },
      ];
    });
  if (operations.length === 0) return undefined;
  return { kind: 'json', operations: [sameObject(object), ...operations] };
}

/** Takes the scheduler's choice of `node` back, unless it has chosen anew meanwhile. Undefined when it is not there. */
export function unselectNodePatch(claim: PersistentVolumeClaim, node: string): Patch | undefined {
  const operations = [annotations.selectedNode, annotations.alphaSelectedNode]
    .filter((key) => claim.metadata.annotations?.[key] === node)
    .flatMap((key): JsonPatchOperation[] => {
      const path = `/metadata/annotations/${escapeJsonPointer(key)}`;
      return [
        { op: 'test', path, value: node },
        { op: 'remove', path },
      ];
    });
  if (operations.length === 0) return undefined;
  return { kind: 'json', operations: [sameObject(claim), ...operations] };
}
