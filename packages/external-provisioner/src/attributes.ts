import type { PersistentVolumeClaim, VolumeAttributesClass } from '@holdfast/kube';
import { refuseUnspeakable } from './class-parameters.ts';
import type { DriverTraits } from './driver-traits.ts';
import type { ProvisionRules } from './plan.ts';
import { RefusalError } from './refusal.ts';

type Attributes =
  | { readonly kind: 'known'; readonly parameters: Record<string, string> }
  | { readonly kind: 'unready'; readonly reason: string };

/** CreateVolume's `mutable_parameters`: those of the claim's VolumeAttributesClass. */
export function attributesOf(deps: {
  claim: PersistentVolumeClaim;
  attributesClass: VolumeAttributesClass | undefined;
  driver: DriverTraits;
  rules: Pick<ProvisionRules, 'hasAttributesClasses'>;
}): Attributes {
  const { claim, attributesClass, driver, rules } = deps;
  const name = claim.spec?.volumeAttributesClassName;
  if (!name || !rules.hasAttributesClasses) return { kind: 'known', parameters: {} };
  if (!driver.canModifyVolumes) {
    throw new RefusalError(
      `driver ${driver.driverName} knows no VolumeAttributesClasses (it lacks MODIFY_VOLUME): remove spec.volumeAttributesClassName`,
    );
  }
  if (!attributesClass) return { kind: 'unready', reason: `VolumeAttributesClass ${name} does not exist: create it` };
  if (attributesClass.driverName !== driver.driverName) {
    throw new RefusalError(
      `VolumeAttributesClass ${name} is of driver ${attributesClass.driverName}, not of ${driver.driverName}: name one of that driver`,
    );
  }
  const { parameters = {} } = attributesClass;
  refuseUnspeakable(parameters, `VolumeAttributesClass ${name}: parameter`);
  return { kind: 'known', parameters: { ...parameters } };
}
