import type { Kind } from './kind.ts';
import type { ApiObject } from './objects.ts';
import { badRequest } from './status.ts';

export type Matcher = (object: ApiObject) => boolean;

/** Whether an object is in the list or watch a client asked for. Throws 400 on a selector that cannot be read. */
export function createMatcher(
  kind: Kind,
  selection: { labels: string; fields: string; namespace: string | undefined },
): Matcher {
  const byLabels = parseLabelSelector(selection.labels);
  const byFields = parseFieldSelector(kind, selection.fields);
  return (object) =>
    (selection.namespace === undefined || object.metadata.namespace === selection.namespace) &&
    byLabels(object) &&
    byFields(object);
}

type LabelTest = (labels: Readonly<Record<string, string>>) => boolean;

const setRequirement = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/;
const equality = /^([^\s=!]+)\s*(==|=|!=)\s*([^\s=!]*)$/;
const existence = /^(!?)\s*([^\s=!(),]+)$/;
const order = /^([^\s=!<>]+)\s*([<>])\s*(-?\d+)$/;

export function parseLabelSelector(text: string): Matcher {
  const tests = splitOutsideParentheses(text).map((part) => parseRequirement(part, text));
  return ({ metadata }) => tests.every((test) => test(metadata.labels ?? {}));
}

function parseRequirement(part: string, whole: string): LabelTest {
  const set = setRequirement.exec(part);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    return operator === 'in'
      ? (labels) => labels[key] !== undefined && values.has(labels[key])
      : (labels) => labels[key] === undefined || !values.has(labels[key]);
  }
  const equal = equality.exec(part);
  if (equal !== null) {
    const [, key = '', operator, value] = equal;
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const compared = order.exec(part);
  if (compared !== null) {
    const [, key = '', operator, bound] = compared;
    return (labels) => {
      const value = Number.parseInt(labels[key] ?? '', 10);
      return operator === '>' ? value > Number(bound) : value < Number(bound);
    };
  }
  const exists = existence.exec(part);
  if (exists === null)
    throw badRequest(`unable to parse requirement: ${JSON.stringify(part)} in selector ${JSON.stringify(whole)}`);
  const [, not, key = ''] = exists;
  return (labels) => (labels[key] !== undefined) === (not === '');
}

/** In one pass: a selector may be as long as a URL, and comes from anyone. */
function splitOutsideParentheses(text: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let isInside = false;
  for (let at = 0; at <= text.length; at++) {
    const char = text[at];
    if (char === '(') isInside = true;
    else if (char === ')') isInside = false;
    else if (char === undefined || (char === ',' && !isInside)) {
      parts.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  return parts.filter((part) => part !== '');
}

function parseFieldSelector(kind: Kind, fields: string): Matcher {
  const own = kind.selectableFieldNames ?? [];
  const supported = ['metadata.name', 'metadata.namespace', ...own];
  const tests = splitFields(fields).map((part) => {
    const parts = /^((?:[^=!\\]|\\.)+)(==|!=|=)(.*)$/.exec(part);
    if (parts === null) throw badRequest(`invalid selector: '${fields}'; can't understand '${part}'`);
    const [, field = '', operator, raw = ''] = parts;
    if (!supported.includes(field)) {
      if (own.length > 0) throw badRequest(`field label not supported: ${field}`);
      throw badRequest(
        `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
      );
    }
    return { field, isEqual: operator !== '!=', value: raw.replaceAll(/\\([\\,=])/g, '$1') };
  });
  if (tests.length === 0) return () => true;
  return (object) => {
    const values: Readonly<Record<string, string>> = {
      'metadata.name': object.metadata.name,
      'metadata.namespace': object.metadata.namespace ?? '',
      ...kind.selectableFields?.(object),
    };
    return tests.every(({ field, isEqual, value }) => (values[field] === value) === isEqual);
  };
}

function splitFields(text: string): string[] {
  return (text.match(/(?:[^,\\]|\\.)+/g) ?? []).filter((part) => part !== '');
}
