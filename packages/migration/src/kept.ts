import type { PersistentVolume } from '@holdfast/kube';
import type { InTreePlugin, VolumeSpec } from './plugin.ts';

export interface Kept {
  readonly annotations: readonly string[];
  readonly hasLabels: boolean;
  readonly spec: VolumeSpec;
}

/** Whether a volume has the plug-in's source. */
export function isOfPlugin({ spec }: PersistentVolume, plugin: InTreePlugin | undefined): boolean {
  return plugin !== undefined && spec?.[plugin.field] !== undefined;
}

const NOTHING: Kept = { annotations: [], hasLabels: false, spec: {} };

/** What a cache has to keep of a volume of the plug-in, so that it can be translated; of any other volume nothing. */
export function keptForTranslation(plugin: InTreePlugin | undefined, { spec }: PersistentVolume): Kept {
  if (plugin === undefined || spec?.[plugin.field] === undefined) return NOTHING;
  const { field, readsAnnotations: annotations, readsLabels: hasLabels } = plugin;
  const claimRef = spec.claimRef && { claimRef: spec.claimRef };
  return { annotations, hasLabels, spec: { [field]: spec[field], ...claimRef } };
}
