import { accessModeFor } from './access-modes.ts';
import type { VolumeCapability } from './gen/csi/v1/csi.ts';

/** What a claim or a PersistentVolume says about how a volume is used, under Kubernetes' names. */
export interface VolumeUse {
  readonly accessModes?: readonly string[] | undefined;
  /** `Block` or `Filesystem`, which is meant when it is left out. */
  readonly volumeMode?: string | undefined;
  readonly mountOptions?: readonly string[] | undefined;
}

/**
 * The capability that a driver is asked for, as the Go sidecars build it.
 *
 * @param options.fsType what to ask for; empty leaves the choice to the driver
 * @param options.hasSingleNodeMultiWriter whether the driver has SINGLE_NODE_MULTI_WRITER
 * @throws AccessModeError
 */
export function volumeCapabilityFor(
  { accessModes = [], volumeMode, mountOptions = [] }: VolumeUse,
  options: { readonly fsType: string; readonly hasSingleNodeMultiWriter: boolean },
): VolumeCapability {
  const accessMode = { mode: accessModeFor(accessModes, options.hasSingleNodeMultiWriter) };
  if (volumeMode === 'Block') return { accessMode, accessType: { $case: 'block', value: {} } };
  const mount = { fsType: options.fsType, mountFlags: [...mountOptions], volumeMountGroup: '' };
  return { accessMode, accessType: { $case: 'mount', value: mount } };
}
