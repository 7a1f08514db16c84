import { emptyOf } from '../draft.ts';
import type { JsonObject } from '../json.ts';
import { listAt } from '../json.ts';
import { apiVersionOf } from '../kind.ts';
import type { ApiObject } from '../objects.ts';
import { ApiError } from '../status.ts';
import type { FieldSet } from './field-set.ts';
import { difference, pathText, startsWith, union } from './field-set.ts';
import type { Manager, Writer } from './managers.ts';
import { contested, dispossess, isWriter, ownable, readManagers, trackUpdate, writeManagers } from './managers.ts';
import { compareTyped, fieldsOfTyped, mergeTyped, removePaths } from './typed.ts';

export interface ApplyRequest {
  readonly live: ApiObject | undefined;
  readonly applied: JsonObject;
  readonly writer: Writer;
  readonly isForced: boolean;
}

/**
 * Server-side apply: what this manager says is set, what it said before and says no more is removed unless another manager owns
 * it too, and a value that another manager owns and that would change is a conflict.
 */
export function applyServerSide({ live: stored, applied, writer, isForced }: ApplyRequest): JsonObject {
  const { kind } = writer;
  const live = stored ?? emptyOf(kind);
  const wanted = ownable(fieldsOfTyped(kind.kind, applied), writer);
  const entries = managersBefore(stored, writer);
  const own = entries.find((entry) => isWriter(entry, writer));
  const others = entries.filter((entry) => entry !== own);
  const merged = mergeTyped(kind.kind, live, applied);
  const pruned =
    own === undefined
      ? merged
      : removePaths(kind.kind, merged, abandoned(own.fields, [wanted, ...others.map(({ fields }) => fields)]));

  const found = compareTyped(kind.kind, live, pruned);
  const comparison = {
    added: ownable(found.added, writer),
    modified: ownable(found.modified, writer),
    removed: ownable(found.removed, writer),
  };
  const conflicts = contested(others, comparison);
  const isContested = [...conflicts.values()].some(({ size }) => size > 0);
  if (isContested && !isForced) throw conflictError(conflicts);

  const hasChanged = Object.values(comparison).some(({ size }) => size > 0);
  const mine: Manager = {
    manager: writer.manager,
    operation: 'Apply',
    apiVersion: apiVersionOf(kind),
    subresource: writer.subresource,
    // When it last changed the object: one who only agrees with what is there has no time.
    time: hasChanged ? writer.now : own?.time,
    fields: wanted,
  };
  const managedFields = writeManagers([mine, ...others.map((entry) => dispossess(entry, comparison))]);
  const metadata =
    typeof pruned['metadata'] === 'object' && !Array.isArray(pruned['metadata']) ? pruned['metadata'] : {};
  return { ...pruned, metadata: { ...metadata, managedFields } };
}

/** Of an object that nobody has owned so far, one owns all of it that is there before the first apply. */
function managersBefore(live: ApiObject | undefined, writer: Writer): Manager[] {
  const managers = readManagers(listAt(live, 'metadata', 'managedFields'));
  if (managers.length > 0 || live === undefined) return managers;
  const everything = compareTyped(writer.kind.kind, emptyOf(writer.kind), live);
  return trackUpdate([], everything, { ...writer, manager: 'before-first-apply', operation: 'Update' });
}

/** What was owned and is no more, by anyone: with all that is below it, so not where somebody owns something below. */
function abandoned(before: FieldSet, now: readonly FieldSet[]): FieldSet {
  const kept = union(...now);
  const dropped = difference(before, kept);
  const stillOwned = [...kept.values()];
  return new Map([...dropped].filter(([, path]) => !stillOwned.some((other) => startsWith(other, path))));
}

function conflictError(conflicts: ReadonlyMap<Manager, FieldSet>): ApiError {
  const causes = [...conflicts]
    .flatMap(([entry, set]) => [...set.values()].map((path) => ({ owner: nameOf(entry), field: pathText(path) })))
    .sort((a, b) => (`${a.owner}\n${a.field}` < `${b.owner}\n${b.field}` ? -1 : 1));
  const [first] = causes;
  const isOne = causes.length === 1 && first !== undefined;
  const message = isOne
    ? `Apply failed with 1 conflict: conflict with ${first.owner}: ${first.field}`
    : `Apply failed with ${causes.length} conflicts: ${linesOf(causes).join('\n')}`;
  return new ApiError(409, 'Conflict', message, {
    causes: causes.map(({ owner, field }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${owner}`,
      field,
    })),
  });
}

function linesOf(causes: readonly { owner: string; field: string }[]): string[] {
  return [...Map.groupBy(causes, ({ owner }) => owner)].flatMap(([owner, fields]) => [
    `conflicts with ${owner}:`,
    ...fields.map(({ field }) => `- ${field}`),
  ]);
}

function nameOf({ manager, operation, subresource, apiVersion }: Manager): string {
  const name = JSON.stringify(manager) + (subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`);
  return operation === 'Apply' ? name : `${name} using ${apiVersion}`;
}
