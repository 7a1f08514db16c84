import type { JsonObject, JsonValue } from '../json.ts';
import { isObject, stringAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import { apiVersionOf } from '../kind.ts';
import type { FieldSet, Path } from './field-set.ts';
import { difference, fieldsV1Of, intersection, readFieldsV1, union, without } from './field-set.ts';
import type { Comparison } from './typed.ts';

/** One entry of `metadata.managedFields`, read. */
export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

export interface Writer {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly kind: Kind;
  /** '' for the object itself. */
  readonly subresource: string;
  readonly now: string;
}

export function readManagers(entries: readonly JsonValue[]): Manager[] {
  return entries.filter(isObject).flatMap((entry) => {
    const operation = entry['operation'];
    if (operation !== 'Apply' && operation !== 'Update') return [];
    return {
      manager: stringAt(entry, 'manager') ?? '',
      operation,
      apiVersion: stringAt(entry, 'apiVersion') ?? '',
      subresource: stringAt(entry, 'subresource') ?? '',
      time: stringAt(entry, 'time'),
      fields: readFieldsV1(entry['fieldsV1']),
    };
  });
}

/** In upstream's order: those who apply first, then by time and name. */
export function writeManagers(managers: readonly Manager[]): JsonObject[] {
  const placeOf = ({ operation, time = '', manager, subresource }: Manager): string =>
    [operation, time, manager, subresource].join('\n');
  return managers
    .filter(({ fields }) => fields.size > 0)
    .sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
    .map(({ manager, operation, apiVersion, subresource, time, fields }) => ({
      manager,
      operation,
      apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: fieldsV1Of(fields),
      ...(subresource === '' ? {} : { subresource }),
    }));
}

export function isWriter(entry: Manager, { manager, operation, kind, subresource }: Writer): boolean {
  return (
    entry.manager === manager &&
    entry.operation === operation &&
    entry.subresource === subresource &&
    // Who applies stays the same when the version changes.
    (operation === 'Apply' || entry.apiVersion === apiVersionOf(kind))
  );
}

/** What nobody owns: what names the object, and what the server keeps. */
const nobodys = [
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'generation',
  'managedFields',
  'resourceVersion',
];
const nobodysPaths: readonly Path[] = [
  ['f:apiVersion'],
  ['f:kind'],
  ...nobodys.map((field) => ['f:metadata', `f:${field}`]),
];

/** What a write to the object or to its status leaves alone, whatever the client sent. */
function leftAlone(kind: Kind, subresource: string): readonly Path[] {
  if (kind.hasStatus !== true) return nobodysPaths;
  if (subresource !== 'status') return [...nobodysPaths, ['f:status']];
  return [...nobodysPaths, ['f:spec'], ...(kind.hasStatusApartFromMetadata === true ? [['f:metadata']] : [])];
}

export function ownable(set: FieldSet, writer: Writer): FieldSet {
  const owned = without(set, leftAlone(writer.kind, writer.subresource));
  return new Map([...owned].filter(([key]) => key !== 'f:metadata'));
}

/** What others own of what a write changes. */
export function contested(managers: readonly Manager[], { added, modified }: Comparison): Map<Manager, FieldSet> {
  const changed = union(added, modified);
  return new Map(managers.map((entry) => [entry, intersection(entry.fields, changed)]));
}

/** Takes from a manager what a write has changed or removed. */
export function dispossess(entry: Manager, { added, modified, removed }: Comparison): Manager {
  return { ...entry, fields: difference(entry.fields, union(added, modified, removed)) };
}

const mostUpdaters = 10;

/** A write that is no apply: whoever makes it owns what it changes. Nobody is asked. */
export function trackUpdate(managers: readonly Manager[], comparison: Comparison, writer: Writer): Manager[] {
  const own: Comparison = {
    added: ownable(comparison.added, writer),
    modified: ownable(comparison.modified, writer),
    removed: ownable(comparison.removed, writer),
  };
  const taken = union(own.added, own.modified);
  const left = managers.map((entry) => dispossess(entry, own));
  if (taken.size === 0) return left;
  const mine: Manager = {
    manager: writer.manager,
    operation: 'Update',
    apiVersion: apiVersionOf(writer.kind),
    subresource: writer.subresource,
    time: writer.now,
    fields: union(left.find((entry) => isWriter(entry, writer))?.fields ?? new Map(), taken),
  };
  return capped([mine, ...left.filter((entry) => !isWriter(entry, writer))]);
}

/** Of more than ten that update, the oldest become one. */
function capped(managers: readonly Manager[]): Manager[] {
  const updaters = managers.filter(({ operation, fields }) => operation === 'Update' && fields.size > 0);
  if (updaters.length <= mostUpdaters) return [...managers];
  const byAge = updaters.toSorted((a, b) => ((a.time ?? '') < (b.time ?? '') ? -1 : 1));
  const old = byAge.slice(0, updaters.length - mostUpdaters + 1);
  const newest = old.at(-1);
  if (newest === undefined) return [...managers];
  const ancient = {
    ...newest,
    manager: 'ancient-changes',
    subresource: '',
    fields: union(...old.map(({ fields }) => fields)),
  };
  return [ancient, ...managers.filter((entry) => !old.includes(entry))];
}
