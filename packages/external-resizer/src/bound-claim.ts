import type { PersistentVolume, PersistentVolumeClaim } from '@holdfast/kube';
import { isOfPlugin } from '@holdfast/migration';
import type { DriverTraits } from './driver-traits.ts';
import { annotations } from './names.ts';

type Driver = Pick<DriverTraits, 'driverName' | 'plugin'>;

/** A claim and the volume that is surely its own. */
export interface BoundClaim {
  readonly claim: PersistentVolumeClaim;
  readonly volume: PersistentVolume;
}

export type Binding = ({ readonly kind: 'bound' } & BoundClaim) | { readonly kind: 'none'; readonly reason: string };

/**
 * Whether a claim and a volume belong together, and to the driver. Both ends are compared: whoever may write a claim
 * must not reach the volume of another by naming it.
 * @param volume the one that the claim names
 */
export function bindingOf(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined, driver: Driver): Binding {
  if (!claim.spec?.volumeName) return none('the claim has no volume yet');
  if (!volume) return none(`volume "${claim.spec.volumeName}" is not there yet`);
  if (volume.spec?.csi?.driver !== driver.driverName) {
    if (!isOfPlugin(volume, driver.plugin)) return none('the volume belongs to another driver');
    const resizer = claim.metadata.annotations?.[annotations.storageResizer];
    // Without it, the in-tree plug-in is to grow the volume (kube-controller-manager's expand controller).
    if (resizer !== driver.driverName)
      return none(`the claim's ${annotations.storageResizer} does not name the driver`);
  }
  const ref = volume.spec?.claimRef;
  const { namespace, name, uid } = claim.metadata;
  if (ref?.namespace !== namespace || ref?.name !== name || ref?.uid !== uid) {
    return none('the volume is bound to another claim');
  }
  return { kind: 'bound', claim, volume };
}

function none(reason: string): Binding {
  return { kind: 'none', reason };
}
