import { errorMessage } from '@holdfast/core';
import { parse as parseYaml } from 'yaml';
import type { OnUnknownFields } from '../draft.ts';
import { readDraft } from '../draft.ts';
import type { FieldError } from '../field-errors.ts';
import { forbiddenField, immutable, required } from '../field-errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { isObject, show } from '../json.ts';
import type { Kind } from '../kind.ts';
import { apiVersionOf, storageName } from '../kind.ts';
import type { ApiObject, DraftObject } from '../objects.ts';
import { applyServerSide } from '../ownership/apply.ts';
import { applyJsonPatch } from '../patches/json-patch.ts';
import { applyMergePatch } from '../patches/merge-patch.ts';
import { mergeRuleOf } from '../patches/merge-rules.ts';
import { applyStrategicMerge } from '../patches/strategic-merge.ts';
import { ApiError, badRequest, invalid, notFound, unsupportedPatchType } from '../status.ts';
import type { VerbContext, WriteOptions, WriteResult } from './context.ts';
import { now } from './context.ts';
import { createObject } from './create.ts';
import type { UpdateTarget } from './update.ts';
import { commitUpdate, keyOfTarget } from './update.ts';

export interface PatchOptions extends WriteOptions {
  readonly contentType: string;
  /** Server-side apply: take over fields that another manager applied. */
  readonly isForced: boolean;
  /** As it was sent. */
  readonly force: string | null;
}

function invalidOptions(error: FieldError): ApiError {
  return invalid({ group: 'meta.k8s.io', plural: '', kind: 'PatchOptions' }, '', [error]);
}

export const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

/** PATCH: the patch is applied to the stored object in one step with the write, so nothing can come between. */
export function patchObject(
  context: VerbContext,
  kind: Kind,
  target: UpdateTarget,
  text: string,
  options: PatchOptions,
): WriteResult {
  if (!patchTypes.includes(options.contentType)) {
    throw unsupportedPatchType();
  }
  const previous = context.storage.get(storageName(kind), keyOfTarget(target));
  if (options.contentType === 'application/apply-patch+yaml')
    return apply(context, kind, target, previous, text, options);
  if (previous === undefined) throw notFound(kind, target.name);
  if (options.force !== null) {
    throw invalidOptions(forbiddenField('force', 'may not be specified for non-apply patch'));
  }
  const patch = parseJson(text);
  const draft = readPatched(kind, patched(kind, previous, patch, options.contentType), options.onUnknownFields);
  // A patch may take away what it does not name: `$patch: replace` at the root, or a null for the metadata.
  if (draft.metadata.name === undefined) {
    throw badRequest(`the name of the object (${target.name} based on URL) was undeterminable: name must be provided`);
  }
  refuseOtherUid(kind, previous, draft);
  return { status: 200, object: commitUpdate(context, kind, previous, draft, target.subresource, options) };
}

/** A PUT that names another object's uid is late (409); a patch that does so is wrong. */
function refuseOtherUid(kind: Kind, { metadata }: ApiObject, draft: DraftObject): void {
  const { uid } = draft.metadata;
  if (uid === undefined || uid === metadata.uid) return;
  const wrong = immutable('metadata.uid', uid);
  throw invalid(kind, metadata.name, [wrong, wrong]);
}

/** What does not decode is the patch's fault: 422, where a whole object would be answered 400. */
function readPatched(kind: Kind, object: JsonValue, onUnknownFields: OnUnknownFields | undefined): DraftObject {
  try {
    return readDraft(kind, object, onUnknownFields);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 400) throw error;
    const { message } = error;
    const wrong = {
      field: 'patch',
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${show(JSON.stringify(object))}: ${message}`,
    };
    throw new ApiError(422, 'Invalid', ` "" is invalid: patch: ${wrong.message}`, { causes: [wrong] });
  }
}

function patched(kind: Kind, previous: ApiObject, patch: JsonValue, contentType: string): JsonValue {
  switch (contentType) {
    case 'application/json-patch+json':
      return applyJsonPatch(previous, patch);
    case 'application/merge-patch+json':
      if (patch === null) throw badRequest('Invalid JSON Patch');
      if (!isObject(patch)) throw badRequest(`error decoding patch: ${notAnObject(patch)}`);
      return applyMergePatch(previous, patch);
    default:
      return applyStrategicMerge(previous, patch, mergeRuleOf(kind.kind));
  }
}

function notAnObject(value: JsonValue): string {
  const type = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return `json: cannot unmarshal ${type} into Go value of type map[string]interface {}`;
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(`error decoding patch: ${errorMessage(error)}`);
  }
}

/** Server-side apply: creates the object when it is not there. */
function apply(
  context: VerbContext,
  kind: Kind,
  target: UpdateTarget,
  previous: ApiObject | undefined,
  text: string,
  options: PatchOptions,
): WriteResult {
  if (options.isManagerNamed !== true) throw invalidOptions(required('fieldManager', 'is required for apply patch'));
  const wanted = parseApplied(kind, text, target);
  readTyped(kind, wanted, target);
  const merged = applyServerSide({
    live: previous,
    applied: wanted,
    writer: {
      kind,
      manager: options.fieldManager,
      operation: 'Apply',
      subresource: target.subresource === 'status' ? 'status' : '',
      now: now(context),
    },
    isForced: options.isForced,
  });
  if (previous === undefined) {
    if (target.subresource === 'status') throw notFound(kind, target.name);
    options.checkCreate?.();
    return createObject(context, kind, target.namespace, merged, { ...options, hasOwners: true });
  }
  const draft = readDraft(kind, merged);
  refuseOtherUid(kind, previous, draft);
  const owned = { ...options, hasOwners: true };
  return { status: 200, object: commitUpdate(context, kind, previous, draft, target.subresource, owned) };
}

/** What is not typed has no owner: 500, in upstream's words as far as they go. */
function readTyped(kind: Kind, wanted: JsonObject, target: UpdateTarget): void {
  try {
    readDraft(kind, wanted, refuseUntyped(target));
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 400) throw error;
    throw new ApiError(500, '', `failed to create typed patch object (${typedName(kind, target)}): ${error.message}`);
  }
}

function typedName(kind: Kind, { namespace, name }: UpdateTarget): string {
  const group = kind.group === '' ? `/${kind.version}` : apiVersionOf(kind);
  return `${namespace === undefined ? '' : '/'}${name}; ${group}, Kind=${kind.kind}`;
}

/** What an apply sets it also owns, so a field without a type is refused whatever `fieldValidation` says. */
function refuseUntyped(target: UpdateTarget): OnUnknownFields {
  return (kind, [first = '']) => {
    const what = typedName(kind, target);
    throw new ApiError(
      500,
      '',
      `failed to create typed patch object (${what}): .${first}: field not declared in schema`,
    );
  };
}

function parseApplied(kind: Kind, text: string, target: UpdateTarget): JsonObject {
  let wanted: unknown;
  try {
    wanted = parseYaml(text);
  } catch (error) {
    throw badRequest(`error decoding YAML: ${errorMessage(error)}`);
  }
  if (Array.isArray(wanted) || (wanted !== null && typeof wanted !== 'object')) {
    const type = Array.isArray(wanted) ? 'array' : typeof wanted;
    const why = `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${type} into Go value of type map[string]interface {}`;
    throw badRequest(`error decoding YAML: ${why}`);
  }
  const { apiVersion = '', kind: name = '', metadata: sent } = isObject(wanted) ? wanted : {};
  if (apiVersion !== apiVersionOf(kind) || name !== kind.kind) {
    const type = show(apiVersion).includes('/') ? show(apiVersion) : `/${show(apiVersion)}`;
    throw badRequest(`invalid object type: ${type}, Kind=${show(name)}`);
  }
  const metadata: JsonObject = isObject(sent) ? { ...sent } : {};
  if ((metadata['name'] ?? '') === '') {
    throw badRequest(`the name of the object (${target.name} based on URL) was undeterminable: name must be provided`);
  }
  if (metadata['name'] !== target.name) {
    throw badRequest(
      `the name of the object (${show(metadata['name'])}) does not match the name on the URL (${target.name})`,
    );
  }
  if (metadata['managedFields'] !== undefined) throw badRequest('metadata.managedFields must be nil');
  return { ...(isObject(wanted) ? wanted : {}), metadata };
}
