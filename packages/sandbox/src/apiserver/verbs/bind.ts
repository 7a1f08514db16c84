import { notSupported } from '../field-errors.ts';
import type { JsonObject } from '../json.ts';
import { isObject, isStringMap, listAt, objectAt, stringAt } from '../json.ts';
import { storageName } from '../kind.ts';
import { pods } from '../kinds/pods.ts';
import { ApiError, badRequest, conflict, notFound, wrongUid } from '../status.ts';
import type { VerbContext, WriteOptions } from './context.ts';
import { now } from './context.ts';
import { keyOfTarget } from './update.ts';

const binding = { ...pods, plural: 'pods/binding' };

/** POST of pods/binding: the one way a pod gets its node. */
export function bindPod(
  context: VerbContext,
  target: { namespace: string | undefined; name: string },
  body: unknown,
  options: WriteOptions,
): JsonObject {
  if (!isObject(body)) throw badRequest('Binding: the body is not an object');
  const node = stringAt(body, 'target', 'name') ?? '';
  // Upstream's own validation here ends as an error that has no status.
  const kind = stringAt(body, 'target', 'kind') ?? '';
  if (kind !== '' && kind !== 'Node') {
    throw new ApiError(500, '', `target.kind: ${notSupported('', kind, ['Node', '<empty>']).message}`);
  }
  if (node === '') throw new ApiError(500, '', 'target.name: Required value');
  const pod = context.storage.get(storageName(pods), keyOfTarget(target));
  if (pod === undefined) throw notFound(pods, target.name);
  const uid = stringAt(body, 'metadata', 'uid');
  if (uid !== undefined && uid !== pod.metadata.uid) {
    throw wrongUid(pods, pod, uid);
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    throw conflict(binding, target.name, `pod ${target.name} is being deleted, cannot be assigned to a host`);
  }
  const current = stringAt(pod, 'spec', 'nodeName') ?? '';
  if (current !== '')
    throw conflict(binding, target.name, `pod ${target.name} is already assigned to node "${current}"`);
  const conditions = listAt(pod, 'status', 'conditions').filter(
    (item) => isObject(item) && item['type'] !== 'PodScheduled',
  );
  const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: now(context) };
  const annotations = objectAt(body, 'metadata', 'annotations');
  const added = isStringMap(annotations) ? { annotations: { ...pod.metadata.annotations, ...annotations } } : {};
  const bound = {
    ...pod,
    metadata: { ...pod.metadata, ...added },
    spec: { ...objectAt(pod, 'spec'), nodeName: node },
    status: { ...objectAt(pod, 'status'), conditions: [...conditions, scheduled] },
  };
  if (!options.isDryRun) context.storage.put(storageName(pods), bound);
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}
