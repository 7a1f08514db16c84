import type { JsonObject } from '../json.ts';
import { isObject, listAt, objectAt, stringAt } from '../json.ts';
import { storageName } from '../kind.ts';
import { pods } from '../kinds/pods.ts';
import { badRequest, conflict, notFound } from '../status.ts';
import type { VerbContext, WriteOptions } from './context.ts';
import { now } from './context.ts';
import { keyOfTarget } from './update.ts';

/** POST of pods/binding: the one way a pod gets its node. */
export function bindPod(
  context: VerbContext,
  target: { namespace: string | undefined; name: string },
  body: unknown,
  options: WriteOptions,
): JsonObject {
  if (!isObject(body)) throw badRequest('Binding: the body is not an object');
  const node = stringAt(body, 'target', 'name') ?? '';
  if (node === '') throw badRequest('Binding: target.name: Required value');
  const pod = context.storage.get(storageName(pods), keyOfTarget(target));
  if (pod === undefined) throw notFound(pods, target.name);
  const uid = stringAt(body, 'metadata', 'uid');
  if (uid !== undefined && uid !== pod.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`;
    throw conflict(pods, target.name, why);
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    throw conflict(pods, target.name, `pod ${target.name} is being deleted, cannot be assigned to a host`);
  }
  const current = stringAt(pod, 'spec', 'nodeName') ?? '';
  if (current !== '') throw conflict(pods, target.name, `pod ${target.name} is already assigned to node "${current}"`);
  const conditions = listAt(pod, 'status', 'conditions').filter(
    (item) => isObject(item) && item['type'] !== 'PodScheduled',
  );
  const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: now(context) };
  const bound = {
    ...pod,
    spec: { ...objectAt(pod, 'spec'), nodeName: node },
    status: { ...objectAt(pod, 'status'), conditions: [...conditions, scheduled] },
  };
  if (!options.isDryRun) context.storage.put(storageName(pods), bound);
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}
