import type { ObjectMeta } from '@holdfast/kube';

type OwnerReference = NonNullable<ObjectMeta['ownerReferences']>[number];

/** `unknown`: of a kind that this cluster does not serve, so nobody can say. */
export type OwnerState = 'present' | 'absent' | 'unknown';

export type GarbageStep =
  | { readonly kind: 'keep' }
  | { readonly kind: 'delete' }
  /** Some owners are gone, others are not. */
  | { readonly kind: 'disown'; readonly left: readonly OwnerReference[] };

/** What becomes of an object with owners: it goes with the last of them. */
export function decideGarbage(
  owners: readonly { readonly reference: OwnerReference; readonly state: OwnerState }[],
): GarbageStep {
  const left = owners.filter(({ state }) => state !== 'absent');
  if (left.length === owners.length) {
    return { kind: 'keep' };
  }
  return left.length === 0 ? { kind: 'delete' } : { kind: 'disown', left: left.map(({ reference }) => reference) };
}
