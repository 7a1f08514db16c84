import type { FieldError } from './field-errors.ts';
import type { NameRule } from './name-rules.ts';
import type { ApiObject, DraftObject } from './objects.ts';
import type { ResourceName } from './status.ts';
import type { Storage } from './storage.ts';

/** A column of a server-side table: what kubectl prints. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean';
  readonly format?: 'name';
  /** 0 is always shown, 1 only with `-o wide`. */
  readonly priority?: 0 | 1;
  readonly cell: (object: ApiObject, nowMs: number) => string | number | boolean;
}

/**
 * Everything the server knows about one kind of object: upstream's strategy, admission, defaults and printer in one value.
 * The hooks run in the order of the fields below; they may change the object they are given (it is the request's own copy),
 * never `previous`.
 */
export interface Kind extends ResourceName {
  readonly version: string;
  readonly singular: string;
  readonly isNamespaced: boolean;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** Comes from a CustomResourceDefinition: the server knows no merge keys for it. */
  readonly isCustom?: boolean;
  /** Has a /status subresource: writes to the main resource leave `status` alone, and the other way round. */
  readonly hasStatus?: boolean;
  /** A status given at creation is kept: kubelet registers its node with one. */
  readonly keepsStatusAtCreation?: boolean;
  /** A write to /status also leaves the metadata alone (labels, annotations, finalizers, owners). */
  readonly hasStatusApartFromMetadata?: boolean;
  /** Created without the status that defaults give it whenever it is read: the first update writes, even if it changes nothing. */
  readonly isCreatedWithoutStatus?: boolean;
  /** metadata.generation counts the changes of the spec. */
  readonly hasGeneration?: boolean;
  /** A PUT without a resourceVersion is refused. */
  readonly needsResourceVersion?: boolean;
  /** A PUT of an object that does not exist creates it. */
  readonly canCreateOnUpdate?: boolean;
  /** They are deleted one by one. */
  readonly lacksDeleteCollection?: boolean;
  /** A DELETE that removes at once answers a Status instead of the object. */
  readonly answersDeleteWithStatus?: boolean;
  /** Seconds a scheduled object gets to stop, from the object; only pods have it. */
  readonly gracePeriodSeconds?: (object: ApiObject) => number;
  readonly nameRule?: NameRule;

  readonly applyDefaults?: (object: DraftObject) => void;
  readonly admitCreate?: (object: DraftObject, storage: Storage) => void;
  readonly prepareCreate?: (object: DraftObject, now: string) => void;
  readonly prepareUpdate?: (next: ApiObject, previous: ApiObject, now: string) => void;
  readonly validate?: (object: ApiObject) => readonly FieldError[];
  readonly validateUpdate?: (next: ApiObject, previous: ApiObject) => readonly FieldError[];
  /** Throws what admission would refuse with. */
  readonly admitUpdate?: (next: ApiObject, previous: ApiObject, storage: Storage) => void;

  /** Why admission refuses to delete an object of this name; undefined when it does not. */
  readonly refusesDelete?: (name: string) => string | undefined;

  /** Field selectors beside metadata.name and metadata.namespace. */
  readonly selectableFields?: (object: ApiObject) => Readonly<Record<string, string>>;
  readonly selectableFieldNames?: readonly string[];
  readonly columns: readonly Column[];
}

export function storageName(kind: { group: string; plural: string }): string {
  return `${kind.group}/${kind.plural}`;
}

export function apiVersionOf(kind: { group: string; version: string }): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}
