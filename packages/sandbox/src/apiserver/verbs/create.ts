import { randomUUID } from 'node:crypto';
import { readDraft, writeAsGo } from '../draft.ts';
import type { Kind } from '../kind.ts';
import { storageName } from '../kind.ts';
import { namespaces } from '../kinds/core.ts';
import { validateMeta } from '../metadata.ts';
import { generateName } from '../name-rules.ts';
import type { ApiObject, DraftObject, Meta } from '../objects.ts';
import { keyOf } from '../objects.ts';
import { recordOwner } from '../ownership/track.ts';
import { ApiError, alreadyExists, badRequest, forbidden, invalid, methodNotAllowed, notFound } from '../status.ts';
import type { VerbContext, WriteOptions, WriteResult } from './context.ts';
import { now } from './context.ts';

/** POST: default, admit, fill in, validate, store. Throws {@link ApiError}. */
export function createObject(
  context: VerbContext,
  kind: Kind,
  namespace: string | undefined,
  body: unknown,
  options: WriteOptions,
): WriteResult {
  const draft = readDraft(kind, body, options.onUnknownFields);
  if (draft.metadata.resourceVersion !== undefined) {
    throw new ApiError(500, '', 'resourceVersion should not be set on objects to be created');
  }
  placeInNamespace(context, kind, draft, namespace);
  // A client cannot make an object that is on its way out.
  delete draft.metadata['deletionTimestamp'];
  delete draft.metadata['deletionGracePeriodSeconds'];
  kind.applyDefaults?.(draft);
  writeAsGo(kind, draft);
  if (options.hasOwners !== true) {
    recordOwner(kind, undefined, draft, { manager: options.fieldManager, subresource: '', now: now(context) });
  }
  if (kind.hasStatus === true && kind.keepsStatusAtCreation !== true) delete draft['status'];
  kind.prepareCreate?.(draft, now(context));
  kind.admitCreate?.(draft, context.storage);
  const object = withSystemFields(context, kind, draft);
  writeAsGo(kind, object);
  const errors = [...validateMeta(kind, object.metadata), ...(kind.validate?.(object) ?? [])];
  if (errors.length > 0) throw invalid(kind, object.metadata.name, errors);
  const existing = context.storage.get(storageName(kind), keyOf(object));
  if (existing !== undefined) throw alreadyExists(kind, object.metadata.name, existing);
  return { status: 201, object: options.isDryRun ? object : context.storage.put(storageName(kind), object) };
}

/** The object's namespace is the URL's, and must be there and stay: the NamespaceLifecycle admission plug-in. */
function placeInNamespace(context: VerbContext, kind: Kind, draft: DraftObject, namespace: string | undefined): void {
  if (!kind.isNamespaced) {
    delete draft.metadata.namespace;
    return;
  }
  if (namespace === undefined) throw methodNotAllowed();
  if (draft.metadata.namespace !== undefined && draft.metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  draft.metadata.namespace = namespace;
  const home = context.storage.get(storageName(namespaces), namespace);
  if (home === undefined) throw notFound(namespaces, namespace);
  if (home.metadata.deletionTimestamp !== undefined) {
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const refusal = forbidden(kind, draft.metadata.name ?? '', why);
    const causes = [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ];
    throw new ApiError(refusal.code, refusal.reason, refusal.message, { ...refusal.details, causes });
  }
}

function withSystemFields(context: VerbContext, kind: Kind, draft: DraftObject): ApiObject {
  const sent = draft.metadata;
  const name = sent.name ?? (sent.generateName === undefined ? '' : generateName(sent.generateName));
  const metadata: Meta = {
    ...sent,
    name,
    uid: randomUUID(),
    resourceVersion: '',
    creationTimestamp: now(context),
    ...(kind.hasGeneration === true ? { generation: 1 } : {}),
  };
  return { ...draft, metadata };
}
