import * as z from 'zod';
import type { JsonValue } from '../json.ts';
import { isObject } from '../json.ts';
import type { ApiObject } from '../objects.ts';

const format = 'holdfast-sandbox-objects/1';

/** A state or an end of one object; `revision` is missing in what the file began with. */
export type Entry = { readonly revision?: number; readonly resource: string } & (
  | { readonly object: ApiObject; readonly removed?: undefined }
  | { readonly removed: string; readonly object?: undefined }
);

const headerShape = z.object({ format: z.literal(format), revision: z.int().min(0) });
const metaShape = z.looseObject({
  name: z.string().min(1),
  namespace: z.string().optional(),
  uid: z.string(),
  resourceVersion: z.string(),
  creationTimestamp: z.string(),
});
const entryShape = z.object({
  revision: z.int().min(1).optional(),
  resource: z.string().min(1),
  object: z.custom<ApiObject>(isApiObject, 'is no object').optional(),
  removed: z.string().min(1).optional(),
});

function isApiObject(value: unknown): value is ApiObject {
  return (
    isObject(value) &&
    typeof value['apiVersion'] === 'string' &&
    typeof value['kind'] === 'string' &&
    metaShape.safeParse(value['metadata']).success
  );
}

export function writeHeader(revision: number): string {
  return line({ format, revision });
}

export function writeEntry(entry: Entry): string {
  return line({ ...entry });
}

function line(value: { readonly [key: string]: JsonValue | undefined }): string {
  return `${JSON.stringify(value)}\n`;
}

/** Throws for anything that {@link writeHeader} does not write. */
export function readHeader(text: string): number {
  const parsed = headerShape.safeParse(parse(text));
  if (!parsed.success) throw new Error(`it does not begin with ${JSON.stringify(format)}`);
  return parsed.data.revision;
}

/** Throws for anything that {@link writeEntry} does not write. */
export function readEntry(text: string): Entry {
  const parsed = entryShape.safeParse(parse(text));
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error).replaceAll(/\s+/g, ' '));
  const { revision, resource, object, removed } = parsed.data;
  const where = { resource, ...(revision === undefined ? {} : { revision }) };
  if (object !== undefined && removed === undefined) return { ...where, object };
  if (removed !== undefined && object === undefined && revision !== undefined) return { ...where, removed };
  throw new Error('it is neither a state nor an end of an object');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is no JSON');
  }
}
