import type { JsonValue } from '../json.ts';
import { textsAt } from '../json.ts';

/** What a request wants to do, as roles are asked. */
export type Attributes = ResourceAttributes | PathAttributes;

export interface ResourceAttributes {
  readonly kind: 'resource';
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  /** '' without one, as for a list or a create. */
  readonly name: string;
  /** '' for the whole cluster. */
  readonly namespace: string;
}

export interface PathAttributes {
  readonly kind: 'path';
  readonly verb: string;
  readonly path: string;
}

export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

export function readRule(rule: JsonValue): PolicyRule {
  return {
    verbs: textsAt(rule, 'verbs'),
    apiGroups: textsAt(rule, 'apiGroups'),
    resources: textsAt(rule, 'resources'),
    resourceNames: textsAt(rule, 'resourceNames'),
    nonResourceURLs: textsAt(rule, 'nonResourceURLs'),
  };
}

/** Rules only ever allow; what no rule allows is forbidden. */
export function ruleAllows(rule: PolicyRule, wanted: Attributes): boolean {
  if (!isAmong(rule.verbs, wanted.verb)) return false;
  if (wanted.kind === 'path') return rule.nonResourceURLs.some((url) => urlMatches(url, wanted.path));
  const { group, resource, subresource, name } = wanted;
  return (
    isAmong(rule.apiGroups, group) &&
    rule.resources.some((allowed) => resourceMatches(allowed, resource, subresource)) &&
    // Without a name in the request a rule for names allows nothing: neither a list nor a create.
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(name))
  );
}

function isAmong(allowed: readonly string[], wanted: string): boolean {
  return allowed.includes('*') || allowed.includes(wanted);
}

/** `*` is every resource and subresource, `pods` no subresource, `*` before `/scale` that of every resource. */
function resourceMatches(allowed: string, resource: string, subresource: string): boolean {
  if (allowed === '*') return true;
  if (subresource === '') return allowed === resource;
  return allowed === `${resource}/${subresource}` || allowed === `*/${subresource}`;
}

function urlMatches(allowed: string, path: string): boolean {
  if (allowed === '*' || allowed === path) return true;
  return allowed.endsWith('*') && path.startsWith(allowed.replace(/\*+$/, ''));
}
