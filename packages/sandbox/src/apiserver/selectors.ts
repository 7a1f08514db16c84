import type { Kind } from './kind.ts';
import { parseLabelSelector } from './label-selector.ts';
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
    byLabels(object.metadata.labels ?? {}) &&
    byFields(object);
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
