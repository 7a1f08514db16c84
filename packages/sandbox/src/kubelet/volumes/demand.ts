import type { Pod } from '@holdfast/kube';
import type { CsiVolume } from './spec.ts';

/** A pod's use of a CSI volume. */
export interface Demand {
  readonly pod: Pod;
  readonly volume: CsiVolume;
  readonly isReadOnly: boolean;
}
