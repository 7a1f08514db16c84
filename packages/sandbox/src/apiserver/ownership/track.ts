import { emptyOf } from '../draft.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { equalJson, isObject, listAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import type { ApiObject, DraftObject } from '../objects.ts';
import type { Manager } from './managers.ts';
import { readManagers, trackUpdate, writeManagers } from './managers.ts';
import { compareTyped } from './typed.ts';

/**
 * Enters into `managedFields` who owns what a write that is no apply has set, before admission and the server itself add theirs.
 * A client may write the field: with what it sends, or, with one empty entry, with nothing.
 */
export function recordOwner(
  kind: Kind,
  previous: ApiObject | undefined,
  next: DraftObject,
  writer: { readonly manager: string; readonly subresource: string; readonly now: string },
): void {
  const known = readManagers(listAt(previous, 'metadata', 'managedFields'));
  const sent = listAt(next, 'metadata', 'managedFields');
  delete next.metadata['managedFields'];
  const isReset = sent.length === 1 && sent.every((entry) => isObject(entry) && Object.keys(entry).length === 0);
  const managers = isReset ? [] : chosen(readManagers(sent), known);
  // What nobody owned so far nobody begins to own by an update.
  if (previous !== undefined && managers.length === 0) return;
  const comparison = compareTyped(kind.kind, previous ?? emptyOf(kind), next);
  const entries = writeManagers(trackUpdate(managers, comparison, { ...writer, kind, operation: 'Update' }));
  if (entries.length === 0) return;
  const before = listAt(previous, 'metadata', 'managedFields');
  const isSame = equalJson(entries.map(withoutTime), before.map(withoutTime));
  next.metadata['managedFields'] = isSame && isUnchanged(previous, next) ? [...before] : entries;
}

function chosen(sent: readonly Manager[], known: readonly Manager[]): readonly Manager[] {
  return sent.length > 0 ? sent : known;
}

function withoutTime(entry: JsonValue): JsonObject {
  const { time: _, ...rest } = isObject(entry) ? entry : {};
  return rest;
}

function isUnchanged(previous: ApiObject | undefined, next: DraftObject): boolean {
  if (previous === undefined) return false;
  const { managedFields: _, ...before } = previous.metadata;
  return equalJson({ ...previous, metadata: before }, next);
}
