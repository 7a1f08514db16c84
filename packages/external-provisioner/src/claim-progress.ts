import type { Draft, PersistentVolume } from '@holdfast/kube';
import type { VolumePlan } from './plan.ts';

/**
 * What we know of a claim's volume that the API server does not know yet, by claim uid. It outlives the claim: once
 * CreateVolume may have made something, somebody must drive it to a PersistentVolume or delete it, even if the claim is
 * gone by then.
 */
export type ClaimProgress =
  /** CreateVolume was sent and has not been answered for good: the volume may exist or may still be made. */
  | { readonly kind: 'creating'; readonly plan: VolumePlan }
  /** The volume exists, its PersistentVolume is not stored yet. */
  | {
      readonly kind: 'created';
      readonly plan: VolumePlan;
      readonly draft: Draft<PersistentVolume>;
      /** The driver's; the source of an in-tree plug-in may not say it. */
      readonly volumeId: string;
    }
  /** The volume exists and cannot be used: it must be deleted. */
  | { readonly kind: 'unwanted'; readonly plan: VolumePlan; readonly volumeId: string; readonly why: string }
  /** The PersistentVolume is stored. Kept until the claim is seen bound, lest a stale claim is provisioned twice. */
  | { readonly kind: 'saved'; readonly volumeName: string };
