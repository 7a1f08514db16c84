import type { Outcome } from '@holdfast/control';
import type { PersistentVolumeClaim } from '@holdfast/kube';

/** One thing that is done for claims. */
export interface Reconcile<Step> {
  /** What the next step would be, from what is known now. */
  decide(claim: PersistentVolumeClaim | undefined): Step;
  /** Looks at a claim (`namespace/name`) and does the next step. */
  reconcile(key: string, signal: AbortSignal): Promise<Outcome>;
}
