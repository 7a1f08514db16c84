import { readDraft, writeAsGo } from '../draft.ts';
import { invalidValue } from '../field-errors.ts';
import { equalJson, listAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import { storageName } from '../kind.ts';
import { validateMeta, validateMetaUpdate } from '../metadata.ts';
import type { ApiObject, DraftObject, Meta } from '../objects.ts';
import { keyOf } from '../objects.ts';
import { recordOwner } from '../ownership/track.ts';
import { ApiError, badRequest, conflict, invalid, notFound, STALE, wrongUid } from '../status.ts';
import type { VerbContext, WriteOptions, WriteResult } from './context.ts';
import { now } from './context.ts';
import { createObject } from './create.ts';

export type Subresource = 'main' | 'status';

export interface UpdateTarget {
  readonly namespace: string | undefined;
  readonly name: string;
  readonly subresource: Subresource;
}

export function keyOfTarget(target: { namespace: string | undefined; name: string }): string {
  return target.namespace === undefined ? target.name : `${target.namespace}/${target.name}`;
}

/** PUT. */
export function replaceObject(
  context: VerbContext,
  kind: Kind,
  target: UpdateTarget,
  body: unknown,
  options: WriteOptions,
): WriteResult {
  const draft = readDraft(kind, body, options.onUnknownFields);
  const { name } = target;
  if (draft.metadata.name !== name) {
    const sent = draft.metadata.name;
    if (sent === undefined)
      throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
    throw badRequest(`the name of the object (${sent}) does not match the name on the URL (${name})`);
  }
  const previous = context.storage.get(storageName(kind), keyOfTarget(target));
  if (previous === undefined) {
    if (kind.canCreateOnUpdate !== true) throw notFound(kind, name);
    options.checkCreate?.();
    checkVersion(draft);
    // Whatever version it was of, there is none now.
    delete draft.metadata.resourceVersion;
    return createObject(context, kind, target.namespace, draft, options);
  }
  if (kind.needsResourceVersion === true && draft.metadata.resourceVersion === undefined) {
    // Upstream names the resource here, where it elsewhere names the kind.
    throw invalid({ ...kind, kind: kind.plural }, name, [
      invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  }
  return { status: 200, object: commitUpdate(context, kind, previous, draft, target.subresource, options) };
}

/** The common end of PUT and PATCH: `draft` becomes the new state of `previous`, as far as it may. */
export function commitUpdate(
  context: VerbContext,
  kind: Kind,
  previous: ApiObject,
  draft: DraftObject,
  subresource: Subresource,
  options: WriteOptions,
): ApiObject {
  checkIdentity(kind, previous, draft);
  const next = merged(kind, previous, draft, subresource);
  if (options.hasOwners === true && draft.metadata['managedFields'] === undefined)
    delete next.metadata['managedFields'];
  kind.applyDefaults?.(next);
  writeAsGo(kind, next);
  if (options.hasOwners !== true) {
    const writer = { manager: options.fieldManager, subresource: subresource === 'status' ? 'status' : '' };
    recordOwner(kind, previous, next, { ...writer, now: now(context) });
  }
  kind.prepareUpdate?.(next, previous, now(context));
  if (kind.hasGeneration === true && !equalJson(next['spec'], previous['spec'])) {
    next.metadata.generation = (previous.metadata.generation ?? 1) + 1;
  }
  writeAsGo(kind, next);
  refuseInvalid(kind, next, previous, draft, subresource);
  if (subresource === 'main') kind.admitUpdate?.(next, previous, context.storage);
  const isFirstWrite = kind.isCreatedWithoutStatus === true && context.storage.isAsCreated(previous);
  if (equalJson(next, previous) && !isFirstWrite) return previous;
  if (options.isDryRun) return next;
  return storeOrRemove(context, kind, next);
}

function refuseInvalid(
  kind: Kind,
  next: ApiObject,
  previous: ApiObject,
  draft: DraftObject,
  subresource: Subresource,
): void {
  // Upstream looks at what may change of the metadata twice, and says each thing twice, but for volumes.
  const ofUpdate = validateMetaUpdate(next, previous, draft.metadata);
  const errors = [
    ...ofUpdate,
    ...validateMeta(kind, next.metadata),
    ...(kind.kind === 'PersistentVolume' ? [] : ofUpdate),
  ];
  if (subresource === 'main') {
    errors.push(...(kind.validate?.(next) ?? []), ...(kind.validateUpdate?.(next, previous) ?? []));
  }
  if (errors.length > 0) throw invalid(kind, previous.metadata.name, errors);
}

function checkIdentity(kind: Kind, previous: ApiObject, draft: DraftObject): void {
  const { name, namespace, uid, resourceVersion } = previous.metadata;
  const sent = draft.metadata;
  if (sent.namespace !== undefined && sent.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (sent.name !== undefined && sent.name !== name) {
    throw badRequest(`the name of the object (${sent.name}) does not match the name on the URL (${name})`);
  }
  if (sent.uid !== undefined && sent.uid !== uid) {
    throw wrongUid(kind, previous, sent.uid);
  }
  checkVersion(draft);
  if (sent.resourceVersion !== undefined && sent.resourceVersion !== '0' && sent.resourceVersion !== resourceVersion) {
    throw conflict(kind, name, STALE);
  }
}

function checkVersion({ metadata: { resourceVersion } }: DraftObject): void {
  if (resourceVersion === undefined || /^\d+$/.test(resourceVersion)) return;
  throw new ApiError(500, '', `strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`);
}

/** The client's part of the new state over the server's part of the old one. */
function merged(kind: Kind, previous: ApiObject, draft: DraftObject, subresource: Subresource): ApiObject {
  const old = previous.metadata;
  const { deletionTimestamp: _, deletionGracePeriodSeconds: _grace, generation: _generation, ...sent } = draft.metadata;
  const metadata: Meta = {
    ...sent,
    name: old.name,
    uid: old.uid,
    resourceVersion: old.resourceVersion,
    creationTimestamp: old.creationTimestamp,
  };
  for (const field of ['namespace', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation', 'generateName']) {
    if (old[field] !== undefined) metadata[field] = old[field];
  }
  if (metadata['managedFields'] === undefined && old['managedFields'] !== undefined) {
    metadata['managedFields'] = structuredClone(old['managedFields']);
  }
  const copy = structuredClone(subresource === 'status' ? previous : draft);
  const status = structuredClone(
    subresource === 'status' || kind.hasStatus !== true ? draft['status'] : previous['status'],
  );
  const keepsMeta = subresource === 'status' && kind.hasStatusApartFromMetadata === true;
  const next: ApiObject = { ...copy, metadata: structuredClone(keepsMeta ? old : metadata) };
  if (status === undefined) delete next['status'];
  else next['status'] = status;
  return next;
}

/** What still keeps a deleted object: its finalizers, and for a namespace those of its spec. */
export function holdsOf(object: ApiObject): readonly unknown[] {
  const ofSpec = object.kind === 'Namespace' ? listAt(object, 'spec', 'finalizers') : [];
  return [...(object.metadata.finalizers ?? []), ...ofSpec];
}

/** Stores the new state; or removes the object, when deletion was asked for and this write took the last hold away. */
export function storeOrRemove(context: VerbContext, kind: Kind, next: ApiObject): ApiObject {
  const { deletionTimestamp, deletionGracePeriodSeconds } = next.metadata;
  const isReleased =
    deletionTimestamp !== undefined && (deletionGracePeriodSeconds ?? 0) === 0 && holdsOf(next).length === 0;
  if (!isReleased) return context.storage.put(storageName(kind), next);
  context.storage.remove(storageName(kind), keyOf(next));
  return next;
}
