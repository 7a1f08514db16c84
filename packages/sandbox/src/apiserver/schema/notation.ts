/**
 * The shape of a field. `struct` is named and looked up where it is used, since structs may hold themselves.
 * `any` is JSON the server does not look into.
 */
export type Shape =
  | { readonly kind: 'scalar'; readonly type: Scalar }
  | { readonly kind: 'list'; readonly of: Shape; readonly items: ListItems }
  | { readonly kind: 'map'; readonly of: Shape; readonly isAtomic: boolean }
  /** `isSplit`: though the struct is atomic, here its fields have owners of their own. */
  | { readonly kind: 'struct'; readonly name: string; readonly isSplit?: true };

/** What of a list has an owner in server-side apply: all of it together, each value, or each item that its keys tell apart. */
export type ListItems =
  | { readonly kind: 'atomic' }
  | { readonly kind: 'set' }
  | { readonly kind: 'map'; readonly keys: readonly string[] };

const scalars = [
  'string',
  'bool',
  'int32',
  'int64',
  'bytes',
  'time',
  'microTime',
  'quantity',
  'intOrString',
  'any',
] as const;
export type Scalar = (typeof scalars)[number];

export interface StructField {
  readonly shape: Shape;
  /** For people who ask `kubectl explain`; the kind's own validation says what is missing. */
  readonly isRequired: boolean;
  /**
   * When Go writes the field: when its value is not the zero of its type (`omitempty`), whatever its value, or, for a pointer, when
   * it was given, be it a zero; of a pointer that is always written, null says that it was not.
   */
  readonly isWritten: 'unless zero' | 'always' | 'when given' | 'as null if not given';
}

export interface Struct {
  readonly name: string;
  readonly fields: ReadonlyMap<string, StructField>;
  /** In server-side apply it has one owner, whole. */
  readonly isAtomic: boolean;
}

/**
 * Reads a table: a struct's name at the start of a line, its fields below, indented, as Go would declare them but for commas
 * between. Behind a field's name `!` says that it must be there and `=` that it is always written; `*` before its type, that it is
 * a pointer. Structs, lists and maps are pointers in so far. For server-side apply `atomic` stands behind a struct or in a map's
 * brackets, `~` before a struct that is not atomic here, and a list's brackets hold `set` or the keys of its items, with `+` between.
 */
export function readTable(table: string): Struct[] {
  const structs: { name: string; isAtomic: boolean; text: string }[] = [];
  for (const line of table.split('\n').filter((text) => text !== '')) {
    const last = structs.at(-1);
    if (!line.startsWith(' ')) {
      const [name = '', mark] = line.split(' ');
      structs.push({ name, isAtomic: mark === 'atomic', text: '' });
    } else if (last === undefined) throw new Error(`"${line.trim()}" stands before any struct`);
    else last.text += line;
  }
  return structs.map(({ name, isAtomic, text }) => ({ name, isAtomic, fields: readFields(text) }));
}

function readFields(text: string): Map<string, StructField> {
  const declared = text.split(',').map((field) => field.trim());
  return new Map(declared.filter((field) => field !== '').map(readField));
}

function readField(field: string): [string, StructField] {
  const [marked = '', type = ''] = field.split(' ');
  const shape = readShape(type.replace('*', ''));
  const isPointer = type.startsWith('*') || shape.kind === 'struct';
  const isAlways = marked.endsWith('=');
  if (isAlways && type.startsWith('*'))
    return [nameOf(marked), { shape, isRequired: marked.includes('!'), isWritten: 'as null if not given' }];
  const isWritten = isAlways ? 'always' : isPointer ? 'when given' : 'unless zero';
  return [nameOf(marked), { shape, isRequired: marked.includes('!'), isWritten }];
}

function nameOf(marked: string): string {
  return marked.replace(/[!=]+$/, '');
}

function readShape(type: string): Shape {
  const list = /^\[([a-zA-Z+]*)\]/.exec(type);
  if (list !== null)
    return { kind: 'list', of: readShape(type.slice(list[0].length)), items: readItems(list[1] ?? '') };
  const map = /^map\[(string|atomic)\]/.exec(type);
  if (map !== null) return { kind: 'map', of: readShape(type.slice(map[0].length)), isAtomic: map[1] === 'atomic' };
  if (type.startsWith('~')) return { kind: 'struct', name: type.slice(1), isSplit: true };
  const scalar = scalars.find((name) => name === type);
  return scalar === undefined ? { kind: 'struct', name: type } : { kind: 'scalar', type: scalar };
}

function readItems(text: string): ListItems {
  if (text === '') return { kind: 'atomic' };
  return text === 'set' ? { kind: 'set' } : { kind: 'map', keys: text.split('+') };
}
