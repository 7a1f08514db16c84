import { errorMessage } from '@holdfast/core';
import { parse as parseYaml } from 'yaml';
import type { OnUnknownFields } from '../draft.ts';
import { readDraft } from '../draft.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { isObject, show } from '../json.ts';
import type { Kind } from '../kind.ts';
import { apiVersionOf, storageName } from '../kind.ts';
import type { ApiObject } from '../objects.ts';
import { applyServerSide } from '../patches/apply.ts';
import { applyJsonPatch } from '../patches/json-patch.ts';
import { applyMergePatch } from '../patches/merge-patch.ts';
import { mergeRuleOf } from '../patches/merge-rules.ts';
import { applyStrategicMerge } from '../patches/strategic-merge.ts';
import { ApiError, badRequest, notFound, unsupportedMediaType } from '../status.ts';
import type { VerbContext, WriteOptions, WriteResult } from './context.ts';
import { now } from './context.ts';
import { createObject } from './create.ts';
import type { UpdateTarget } from './update.ts';
import { commitUpdate, keyOfTarget } from './update.ts';

export interface PatchOptions extends WriteOptions {
  readonly contentType: string;
  /** Server-side apply: take over fields that another manager applied. */
  readonly isForced: boolean;
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
    const accepted = patchTypes.join(', ');
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
    );
  }
  const previous = context.storage.get(storageName(kind), keyOfTarget(target));
  if (options.contentType === 'application/apply-patch+yaml')
    return apply(context, kind, target, previous, text, options);
  const patch = parseJson(text);
  if (previous === undefined) throw notFound(kind, target.name);
  const draft = readDraft(kind, patched(kind, previous, patch, options.contentType), options.onUnknownFields);
  // A patch may take away what it does not name: `$patch: replace` at the root, or a null for the metadata.
  if (draft.metadata.name === undefined) {
    throw badRequest(`the name of the object (${target.name} based on URL) was undeterminable: name must be provided`);
  }
  return { status: 200, object: commitUpdate(context, kind, previous, draft, target.subresource, options) };
}

function patched(kind: Kind, previous: ApiObject, patch: JsonValue, contentType: string): JsonValue {
  switch (contentType) {
    case 'application/json-patch+json':
      return applyJsonPatch(previous, patch);
    case 'application/merge-patch+json':
      if (!isObject(patch)) throw badRequest('error decoding patch: the patch is not an object');
      return applyMergePatch(previous, patch);
    default:
      return applyStrategicMerge(previous, patch, mergeRuleOf(kind.kind));
  }
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
  if (options.fieldManager === '') {
    throw badRequest(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  }
  const wanted = parseApplied(text, target);
  readDraft(kind, wanted, refuseUntyped(target));
  const merged = applyServerSide({
    kind,
    live: previous,
    applied: wanted,
    manager: options.fieldManager,
    subresource: target.subresource,
    isForced: options.isForced,
    now: now(context),
  });
  if (previous === undefined) {
    if (target.subresource === 'status') throw notFound(kind, target.name);
    options.checkCreate?.();
    return createObject(context, kind, target.namespace, merged, options);
  }
  const draft = readDraft(kind, merged);
  return { status: 200, object: commitUpdate(context, kind, previous, draft, target.subresource, options) };
}

/** What an apply sets it also owns, so a field without a type is refused whatever `fieldValidation` says. */
function refuseUntyped({ namespace, name }: UpdateTarget): OnUnknownFields {
  return (kind, [first = '']) => {
    const what = `${namespace === undefined ? '' : `${namespace}/`}${name}; ${apiVersionOf(kind)}, Kind=${kind.kind}`;
    throw new ApiError(
      500,
      '',
      `failed to create typed patch object (${what}): .${first}: field not declared in schema`,
    );
  };
}

function parseApplied(text: string, target: UpdateTarget): JsonObject {
  let wanted: unknown;
  try {
    wanted = parseYaml(text);
  } catch (error) {
    throw badRequest(`error decoding YAML: ${errorMessage(error)}`);
  }
  if (!isObject(wanted) || !isObject(wanted['metadata'])) throw badRequest('the applied configuration has no metadata');
  const metadata: JsonObject = { ...wanted['metadata'] };
  metadata['name'] ??= target.name;
  if (metadata['name'] !== target.name) {
    throw badRequest(
      `the name of the object (${show(metadata['name'])}) does not match the name on the URL (${target.name})`,
    );
  }
  if (metadata['managedFields'] !== undefined) throw badRequest('metadata.managedFields must be nil');
  return { ...wanted, metadata };
}
