/**
 * The shape of a field. `struct` is named and looked up where it is used, since structs may hold themselves.
 * `any` is JSON the server does not look into.
 */
export type Shape =
  | { readonly kind: 'scalar'; readonly type: Scalar }
  | { readonly kind: 'list'; readonly of: Shape }
  | { readonly kind: 'map'; readonly of: Shape }
  | { readonly kind: 'struct'; readonly name: string };

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
}

export interface Struct {
  readonly name: string;
  readonly fields: ReadonlyMap<string, StructField>;
}

/**
 * Reads a table: a struct's name at the start of a line, its fields below, indented, as Go would declare them but for
 * commas between and a `!` behind a name that must be there.
 */
export function readTable(table: string): Struct[] {
  const structs: { name: string; text: string }[] = [];
  for (const line of table.split('\n').filter((text) => text !== '')) {
    const last = structs.at(-1);
    if (!line.startsWith(' ')) structs.push({ name: line, text: '' });
    else if (last === undefined) throw new Error(`"${line.trim()}" stands before any struct`);
    else last.text += line;
  }
  return structs.map(({ name, text }) => ({ name, fields: readFields(text) }));
}

function readFields(text: string): Map<string, StructField> {
  const declared = text.split(',').map((field) => field.trim());
  return new Map(
    declared
      .filter((field) => field !== '')
      .map((field) => {
        const [name = '', type = ''] = field.split(' ');
        return [name.replace('!', ''), { shape: readShape(type), isRequired: name.endsWith('!') }];
      }),
  );
}

function readShape(type: string): Shape {
  if (type.startsWith('[]')) return { kind: 'list', of: readShape(type.slice(2)) };
  if (type.startsWith('map[string]')) return { kind: 'map', of: readShape(type.slice('map[string]'.length)) };
  const scalar = scalars.find((name) => name === type);
  return scalar === undefined ? { kind: 'struct', name: type } : { kind: 'scalar', type: scalar };
}
