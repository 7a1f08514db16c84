import type { Kind } from '../kind.ts';
import { storageName } from '../kind.ts';
import type { ApiObject } from '../objects.ts';
import { keyOf, timestamp } from '../objects.ts';
import { conflict, forbidden, notFound } from '../status.ts';
import type { VerbContext } from './context.ts';
import { holdsOf, keyOfTarget } from './update.ts';

export interface DeleteOptions {
  readonly gracePeriodSeconds: number | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly isDryRun: boolean;
}

export interface DeleteResult {
  readonly object: ApiObject;
  /** False while finalizers or a pod's grace period keep it. */
  readonly isRemoved: boolean;
}

/** DELETE. A repeated delete of a held object answers the object and writes nothing, unless it shortens a pod's grace period. */
export function deleteObject(
  context: VerbContext,
  kind: Kind,
  target: { namespace: string | undefined; name: string },
  options: DeleteOptions,
): DeleteResult {
  const object = context.storage.get(storageName(kind), keyOfTarget(target));
  if (object === undefined) throw notFound(kind, target.name);
  const refusal = kind.refusesDelete?.(target.name);
  if (refusal !== undefined) throw forbidden(kind, target.name, refusal);
  checkPreconditions(kind, object, options);
  const graceSeconds = graceOf(kind, object, options);
  const next = marked(context, object, graceSeconds);
  if (graceSeconds === 0 && holdsOf(object).length === 0) {
    const last = kind.gracePeriodSeconds === undefined ? object : (next ?? object);
    if (options.isDryRun) return { object: last, isRemoved: true };
    // A pod is first marked and then removed, even at once: its watchers see both.
    if (kind.gracePeriodSeconds !== undefined && next !== undefined) context.storage.put(storageName(kind), next);
    const removed = context.storage.remove(storageName(kind), keyOf(object)) ?? object;
    const { resourceVersion } = removed.metadata;
    return { object: { ...last, metadata: { ...last.metadata, resourceVersion } }, isRemoved: true };
  }
  if (next === undefined) return { object, isRemoved: false };
  return { object: options.isDryRun ? next : context.storage.put(storageName(kind), next), isRemoved: false };
}

function checkPreconditions(kind: Kind, object: ApiObject, options: DeleteOptions): void {
  const { name, uid, resourceVersion } = object.metadata;
  // Upstream names the kind here, where it elsewhere names the resource.
  const named = { ...kind, plural: kind.kind };
  if (options.uid !== undefined && options.uid !== uid) {
    const why = `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw conflict(named, name, why);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    const why = `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw conflict(named, name, why);
  }
}

function graceOf(kind: Kind, object: ApiObject, options: DeleteOptions): number {
  if (kind.gracePeriodSeconds === undefined) return 0;
  const natural = kind.gracePeriodSeconds(object);
  if (natural === 0) return 0;
  // A negative wish means "one second", as in upstream's pod strategy.
  const asked = options.gracePeriodSeconds ?? natural;
  return asked < 0 ? 1 : asked;
}

/** The object with deletion asked for; undefined when it already says so and this request does not shorten the wait. */
function marked(context: VerbContext, object: ApiObject, graceSeconds: number): ApiObject | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, generation } = object.metadata;
  if (deletionTimestamp !== undefined && graceSeconds >= deletionGracePeriodSeconds) return undefined;
  const metadata = {
    ...object.metadata,
    deletionTimestamp: timestamp(context.clock.nowMs() + graceSeconds * 1000),
    deletionGracePeriodSeconds: graceSeconds,
    ...(generation === undefined || deletionTimestamp !== undefined ? {} : { generation: generation + 1 }),
  };
  if (object.kind !== 'Namespace') return { ...object, metadata };
  const { deletionGracePeriodSeconds: _, ...ofNamespace } = metadata;
  return { ...object, metadata: ofNamespace, status: { ...asStatus(object), phase: 'Terminating' } };
}

function asStatus(object: ApiObject): object {
  const { status } = object;
  return typeof status === 'object' && status !== null ? status : {};
}
