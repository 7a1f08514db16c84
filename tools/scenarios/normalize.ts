import type { KubeObject } from '@holdfast/kube';
import type { NameBook } from './name-book.ts';

/** Metadata that says when and in which order something was written, not what. */
const passing = new Set(['resourceVersion', 'creationTimestamp', 'managedFields', 'generation', 'selfLink', 'uid']);
const leaseClock = new Set(['renewTime', 'acquireTime', 'leaseTransitions']);
const time = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
/** `<ms since the epoch>-<random>-<driver>`, by which a volume names the process that made it. */
const provisionerIdentity = /\b\d{13}-\d{1,5}-/g;
const remainingUid = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;

/** The text without what differs from run to run. */
export function normalizeText(text: string, names: NameBook): string {
  return names
    .rename(text)
    .replace(time, '<time>')
    .replace(provisionerIdentity, '<process>-')
    .replace(remainingUid, '<uid>');
}

/** The object without what differs from run to run; keys in order, lists whose order says nothing sorted. */
export function normalizeObject(object: KubeObject, names: NameBook): unknown {
  const metadata = withoutKeys({ ...object.metadata }, passing);
  const { apiVersion: _apiVersion, kind: _kind, ...rest } = { ...object };
  return normalizeValue({ ...rest, metadata }, names);
}

/** A lease without its clock: who may hold it and how long, and what was put beside it. */
export function normalizeLease(lease: KubeObject & { readonly spec?: object }, names: NameBook): unknown {
  const spec = withoutKeys({ ...lease.spec }, leaseClock);
  const held = 'holderIdentity' in spec ? { holderIdentity: spec.holderIdentity ? '<holder>' : '' } : {};
  return normalizeObject(Object.assign({}, lease, { spec: { ...spec, ...held } }), names);
}

function normalizeValue(value: unknown, names: NameBook, key = ''): unknown {
  if (typeof value === 'string') return normalizeText(value, names);
  if (Array.isArray(value)) {
    const items = value.map((item) => normalizeValue(item, names));
    return key === 'finalizers' || key === 'conditions' ? items.sort(byText) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([name]) => name !== 'resourceVersion')
    .map(([name, item]) => [normalizeText(name, names), normalizeValue(item, names, name)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}

export function byText(a: unknown, b: unknown): number {
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
  return left < right ? -1 : Number(left > right);
}

function withoutKeys(object: Readonly<Record<string, unknown>>, keys: ReadonlySet<string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.has(key)));
}
