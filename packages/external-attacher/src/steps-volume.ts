import type { Outcome } from '@holdfast/control';
import type { Logger } from '@holdfast/core';
import { isNotFound } from '@holdfast/kube';
import type { VolumeStep } from './decide-volume.ts';
import type { DriverTraits } from './driver-traits.ts';
import type { ObjectWriter } from './object-writer.ts';
import { releaseVolumePatch } from './patches.ts';

export interface VolumeStepsDeps {
  readonly writer: ObjectWriter;
  readonly driver: DriverTraits;
  readonly log: Logger;
}

export type VolumeSteps = (name: string, step: VolumeStep, signal: AbortSignal) => Promise<Outcome>;

/** Carries out one step for the volume of a name. What a step throws is a retry. */
export function createVolumeSteps({ writer, driver, log }: VolumeStepsDeps): VolumeSteps {
  return async (name, step, signal) => {
    log.debug(4, 'Next step of the volume', { volume: name, step: step.kind, reason: step.reason });
    switch (step.kind) {
      case 'ignore':
      case 'wait':
        return { kind: 'done' };
      case 'release':
        try {
          await writer.patchVolume(step.volume, releaseVolumePatch(step.volume, driver.finalizer), signal);
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
        return { kind: 'done' };
      default:
        return step satisfies never;
    }
  };
}
