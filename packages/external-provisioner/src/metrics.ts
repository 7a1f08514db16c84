import { Counter, Histogram, type Registry } from 'prom-client';

/** Upstream's metrics of the provisioning loop, under its names. Durations are given in ms and shown in seconds. */
export interface ProvisionMetrics {
  /** @param source the kind of what the volume is filled from; empty for none */
  provisioned(className: string, source: string, durationMs: number): void;
  provisionFailed(className: string, source: string): void;
  deleted(className: string, durationMs: number): void;
  deleteFailed(className: string): void;
}

const CLAIM = 'controller_persistentvolumeclaim_provision';
const VOLUME = 'controller_persistentvolume_delete';

export function createProvisionMetrics(registry: Registry): ProvisionMetrics {
  const registers = [registry];
  const claimLabels = ['class', 'source'] as const;
  const volumeLabels = ['class'] as const;
  const provisioned = new Counter({
    name: `${CLAIM}_total`,
    help: 'Claims provisioned.',
    labelNames: claimLabels,
    registers,
  });
  const provisionFailed = new Counter({
    name: `${CLAIM}_failed_total`,
    help: 'Attempts to provision a claim that failed.',
    labelNames: claimLabels,
    registers,
  });
  const provisionSeconds = new Histogram({
    name: `${CLAIM}_duration_seconds`,
    help: 'How long provisioning took, from CreateVolume to the stored volume.',
    labelNames: claimLabels,
    registers,
  });
  const deleted = new Counter({
    name: `${VOLUME}_total`,
    help: 'Volumes deleted.',
    labelNames: volumeLabels,
    registers,
  });
  const deleteFailed = new Counter({
    name: `${VOLUME}_failed_total`,
    help: 'Attempts to delete a volume that failed.',
    labelNames: volumeLabels,
    registers,
  });
  const deleteSeconds = new Histogram({
    name: `${VOLUME}_duration_seconds`,
    help: 'How long DeleteVolume took.',
    labelNames: volumeLabels,
    registers,
  });
  return {
    provisioned(className, source, durationMs) {
      provisioned.inc({ class: className, source });
      provisionSeconds.observe({ class: className, source }, durationMs / 1000);
    },
    provisionFailed: (className, source) => provisionFailed.inc({ class: className, source }),
    deleted(className, durationMs) {
      deleted.inc({ class: className });
      deleteSeconds.observe({ class: className }, durationMs / 1000);
    },
    deleteFailed: (className) => deleteFailed.inc({ class: className }),
  };
}
