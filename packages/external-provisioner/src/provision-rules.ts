import type { FlagValues } from '@holdfast/sidecar';
import type { provisionerFlags } from './flags.ts';
import type { ProvisionRules } from './plan.ts';

/** What the flags decide about volumes. */
export function provisionRules(values: FlagValues<typeof provisionerFlags.table>): ProvisionRules {
  return {
    naming: { prefix: values.volumeNamePrefix, uuidLength: values.volumeNameUuidLength },
    defaultFsType: values.defaultFstype,
    hasExtraCreateMetadata: values.extraCreateMetadata,
    isPublishReadonly: values.controllerPublishReadonly,
    hasAttributesClasses: values.featureGates.VolumeAttributesClass,
    areOtherNamespacesAllowed: values.featureGates.CrossNamespaceVolumeDataSource,
    isModeConversionPrevented: values.preventVolumeModeConversion,
    topology: { isStrict: values.strictTopology, isImmediateTopology: values.immediateTopology },
  };
}
