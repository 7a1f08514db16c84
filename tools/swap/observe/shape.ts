// Objects as nested records whose leaves can be compared. Pure.
import type { SidecarName } from '../../rig/contract.ts';

/** Whose lease it is, by its name. */
export function leaseOf(name: string): SidecarName {
  if (name.startsWith('external-attacher-leader-')) return 'attacher';
  return name.startsWith('external-resizer-') ? 'resizer' : 'provisioner';
}

export function byName(objects: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(objects.map((object) => [nameOf(object), shaped(object)]));
}

function nameOf(object: unknown): string {
  return isRecord(object) && isRecord(object.metadata) ? String(object.metadata.name) : '';
}

/** Lists that are sets, and those that Kubernetes merges by a key, as records. */
export function shaped(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    if (key === 'finalizers') return Object.fromEntries(value.map((each) => [String(each), true]));
    if (key === 'conditions') return Object.fromEntries(value.map((each) => [conditionType(each), shaped(each)]));
    return Object.fromEntries(value.map((each: unknown, place) => [String(place), shaped(each)]));
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      // The version of the claim that the provisioner had seen.
      .filter(([name]) => !(key === 'claimRef' && name === 'resourceVersion'))
      .map(([name, each]) => [name, shaped(each, name)]),
  );
}

function conditionType(condition: unknown): string {
  return isRecord(condition) ? String(condition.type) : '';
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
