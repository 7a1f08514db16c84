import type { PlainReply } from './normalise.ts';
import type { JsonValue } from './script.ts';
import { isObject } from './script.ts';

/** Where two replies differ: `body.status.phase`, and what each server says there; undefined is nothing at all. */
export interface Difference {
  readonly path: string;
  readonly sandbox: JsonValue | undefined;
  readonly kubernetes: JsonValue | undefined;
}

export function compareReplies(sandbox: PlainReply, kubernetes: PlainReply, comparesBody: boolean): Difference[] {
  const differences: Difference[] = [];
  const walk = (path: string, ours: JsonValue | undefined, theirs: JsonValue | undefined): void => {
    if (Array.isArray(ours) && Array.isArray(theirs)) {
      for (let at = 0; at < Math.max(ours.length, theirs.length); at++) walk(`${path}[${at}]`, ours[at], theirs[at]);
    } else if (isObject(ours) && isObject(theirs)) {
      for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)]))
        walk(`${path}.${key}`, ours[key], theirs[key]);
    } else if (ours !== theirs) differences.push({ path, sandbox: ours, kubernetes: theirs });
  };
  walk('status', sandbox.status, kubernetes.status);
  walk('headers', headersOf(sandbox), headersOf(kubernetes));
  if (!comparesBody) return differences;
  // An object beside a refusal has nothing in common with it.
  if (isStatus(sandbox.body) === isStatus(kubernetes.body)) walk('body', sandbox.body, kubernetes.body);
  else differences.push({ path: 'body', sandbox: sandbox.body, kubernetes: kubernetes.body });
  return differences;
}

function isStatus(body: JsonValue): boolean {
  return isObject(body) && body['kind'] === 'Status';
}

function headersOf({ headers }: PlainReply): JsonValue {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  );
}

export function describe({ path, sandbox, kubernetes }: Difference): string {
  return `${path}: sandbox ${show(sandbox)}, kubernetes ${show(kubernetes)}`;
}

function show(value: JsonValue | undefined): string {
  return value === undefined ? 'has nothing' : (JSON.stringify(value) ?? 'has nothing');
}
