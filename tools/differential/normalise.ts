import type { JsonObject, JsonValue } from './script.ts';
import { isObject } from './script.ts';
import type { WireReply } from './wire.ts';

/** A reply with everything that no two servers have in common replaced by what the rules say about it. */
export interface PlainReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: JsonValue;
}

export interface Normaliser {
  normalise(reply: WireReply): PlainReply;
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const signedToken = /[\w-]{10,}\.[\w-]{20,}\.[\w-]{20,}/g;
const issuer = /https:\/\/kubernetes\.default\.svc(\.cluster\.local)?/g;
const dayMs = 24 * 60 * 60 * 1000;

/**
 * One for each server and script: it knows the versions and uids that the script has seen. A uid becomes the name of its object
 * and a number, for objects that take each other's name, a resourceVersion its number among those of its object, with a word where it is not greater than those before.
 */
export function createNormaliser(): Normaliser {
  const uids = new Map<string, string>();
  const versions = new Map<string, number[]>();
  const generated = new Map<string, string>();
  let highest = 0;

  const noteUid = ({ name, uid }: JsonObject): void => {
    if (typeof name !== 'string' || typeof uid !== 'string' || uids.has(uid)) return;
    const holders = [...uids.values()].filter((holder) => holder.startsWith(`uid ${name} `)).length;
    uids.set(uid, `uid ${name} ${holders + 1}`);
  };

  const versionOf = (uid: string, version: string): string => {
    const known = versions.get(uid) ?? [];
    versions.set(uid, known);
    const number = Number(version);
    if (!known.includes(number)) {
      const isNewest = known.every((other) => other < number);
      known.push(number);
      highest = Math.max(highest, number);
      return isNewest ? `version ${known.length}` : `version ${known.length}, older than one before`;
    }
    return `version ${known.indexOf(number) + 1}`;
  };

  const plainText = (text: string): string => {
    let plain = text.replaceAll(signedToken, '<a token>').replaceAll(issuer, '<the issuer>');
    plain = plain.replaceAll(uuid, (uid) => uids.get(uid) ?? '<a uid>');
    plain = plain.replaceAll(time, (found) => {
      const isNow = Math.abs(Date.parse(found) - Date.now()) < dayMs;
      return isNow ? (found.includes('.') ? '<now, with fractions>' : '<now>') : found;
    });
    for (const [name, placeholder] of generated) plain = plain.replaceAll(name, placeholder);
    return plain
      .replaceAll(
        /(resource version: )\d+( \(\d+\))?/g,
        (_all, start: string, second?: string) => `${start}<n>${second === undefined ? '' : ' (<n>)'}`,
      )
      .replaceAll(/current: \d+/g, 'current: <n>')
      .replaceAll(/(ResourceVersion in (?:the precondition|record) \()\d+/g, '$1<n>');
  };

  const noteGenerated = (object: JsonObject): void => {
    const { name, generateName } = object;
    if (typeof name !== 'string' || typeof generateName !== 'string' || !name.startsWith(generateName.slice(0, 58)))
      return;
    if (name.length > 5) generated.set(name, `${name.slice(0, -5)}<five random>`);
  };

  const walk = (value: JsonValue | undefined, key = ''): JsonValue => {
    if (typeof value === 'string') return key === 'continue' && value !== '' ? '<continue>' : plainText(value);
    if (Array.isArray(value)) return byName(key, value) ?? inOrder(key, value).map((item) => walk(item));
    if (!isObject(value)) return value ?? null;
    noteGenerated(value);
    noteUid(value);
    const { uid, resourceVersion } = value;
    const items = value['items'];
    const result: JsonObject = {};
    for (const [name, item] of Object.entries(value)) {
      const isVersion = name === 'resourceVersion' && key === 'metadata' && typeof resourceVersion === 'string';
      if (!isVersion) result[name] = walk(item, name);
      else if (resourceVersion === '') result[name] = '';
      else if (typeof uid === 'string') result[name] = versionOf(uid, resourceVersion);
      else result[name] = /^\d+$/.test(resourceVersion) ? '<a version>' : resourceVersion;
    }
    if (Array.isArray(items)) checkListVersion(value, items, result);
    return result;
  };

  // Discovery lists what is served in no order: a server that serves less is compared by what it has.
  const byName = (key: string, list: readonly JsonValue[]): JsonValue | undefined => {
    const isGroups = key === 'items' && list.every((item) => isObject(item) && Array.isArray(item['versions']));
    if (!isGroups && !['resources', 'subresources', 'groups', 'paths', 'verbs'].includes(key)) return undefined;
    return Object.fromEntries(list.map((item) => [nameIn(item), isObject(item) ? walk(item) : true]));
  };

  const checkListVersion = (list: JsonObject, items: readonly JsonValue[], result: JsonObject): void => {
    const metadata = list['metadata'];
    const listed = isObject(metadata) ? Number(metadata['resourceVersion']) : Number.NaN;
    const newest = Math.max(
      0,
      ...items.map((item) =>
        Number(isObject(item) && isObject(item['metadata']) ? item['metadata']['resourceVersion'] : 0),
      ),
    );
    if (!Number.isNaN(listed))
      result['<list version>'] = listed >= newest ? 'not older than its items' : 'older than an item';
  };

  return {
    normalise(reply) {
      return {
        status: reply.status,
        headers: headersOf(reply),
        body: bodyOf(reply, walk, plainText),
      };
    },
  };
}

/** Upstream keeps conflicts with managers in no order, and managers by their times, of which two servers have two. */
function inOrder(key: string, list: readonly JsonValue[]): readonly JsonValue[] {
  const isConflict = (item: JsonValue): boolean => isObject(item) && item['reason'] === 'FieldManagerConflict';
  if (key === 'causes' && list.every(isConflict)) return sortedBy(list, (item) => JSON.stringify(item));
  if (key !== 'managedFields') return list;
  return sortedBy(list, (item) =>
    JSON.stringify(
      ['operation', 'manager', 'apiVersion', 'subresource'].map((field) => (isObject(item) ? item[field] : '')),
    ),
  );
}

function sortedBy(list: readonly JsonValue[], textOf: (item: JsonValue) => string): readonly JsonValue[] {
  return list.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}

function nameIn(item: JsonValue): string {
  if (!isObject(item)) return typeof item === 'string' ? item : JSON.stringify(item);
  const { name, resource, subresource, metadata } = item;
  return (
    [name, resource, subresource, isObject(metadata) ? metadata['name'] : undefined].find(
      (candidate) => typeof candidate === 'string',
    ) ?? ''
  );
}

function headersOf({ headers }: WireReply): PlainReply['headers'] {
  const kept: Record<string, string | readonly string[]> = {};
  for (const name of ['content-type', 'retry-after', 'allow', 'www-authenticate', 'cache-control']) {
    const value = headers[name];
    if (value !== undefined) kept[name] = value;
  }
  const { warning } = headers;
  // Node joins repeated headers; a warning's own text has no comma followed by another warning's code.
  if (typeof warning === 'string') kept['warning'] = warning.split(/, (?=299 )/);
  return kept;
}

function bodyOf(
  { text, headers }: WireReply,
  walk: (value: JsonValue) => JsonValue,
  plainText: (text: string) => string,
): JsonValue {
  const type = headers['content-type'] ?? '';
  if (!type.includes('json')) return plainText(text);
  const whole = parse(text);
  if (text !== '' && typeof whole !== 'string' && !isWatchEvent(whole))
    return { ...isPretty(text), ...asObject(walk(whole)) };
  const parsed = text
    .split('\n')
    .filter((line) => line !== '')
    .map(parse);
  return { '<events>': withoutPeriodicBookmarks(parsed).map((event) => walk(event)) };
}

function asObject(value: JsonValue): JsonObject {
  return isObject(value) ? value : { '<body>': value };
}

function isPretty(text: string): JsonObject {
  return /^\s*\{\n/.test(text) ? { '<pretty>': true } : {};
}

function parse(line: string): JsonValue {
  try {
    const value: JsonValue = JSON.parse(line);
    return value;
  } catch {
    return `not JSON: ${line}`;
  }
}

function isWatchEvent(value: JsonValue | undefined): value is JsonObject {
  return (
    isObject(value) && typeof value['type'] === 'string' && isObject(value['object']) && Object.keys(value).length === 2
  );
}

/** When they come is the server's own affair; one that ends the initial events has its place. */
function withoutPeriodicBookmarks(events: readonly JsonValue[]): JsonValue[] {
  return events.filter((event) => {
    if (!isWatchEvent(event) || event['type'] !== 'BOOKMARK') return true;
    return JSON.stringify(event['object']).includes('k8s.io/initial-events-end');
  });
}
