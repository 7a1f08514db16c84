import type { CreateVolumeResponse } from '@holdfast/csi-spec';
import * as z from 'zod';
import type { VolumePlan } from './plan.ts';
import type { Segments } from './topology-terms.ts';

/** A volume as the driver described it, checked. `capacityBytes` 0 means that the driver did not say. */
export interface CreatedVolume {
  readonly volumeId: string;
  readonly capacityBytes: bigint;
  readonly volumeContext: Readonly<Record<string, string>>;
  readonly topologies: readonly Segments[];
}

export type ReplyVerdict =
  | { readonly kind: 'usable'; readonly volume: CreatedVolume }
  /** The driver made something that cannot be used. Without an id it cannot even be deleted. */
  | { readonly kind: 'unusable'; readonly volumeId: string | undefined; readonly why: string };

const LABEL_NAME = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const LABEL_PREFIX = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

function isLabelKey(key: string): boolean {
  const [first = '', second, ...rest] = key.split('/');
  if (rest.length > 0) return false;
  if (second === undefined) return LABEL_NAME.test(first);
  return first.length <= 253 && LABEL_PREFIX.test(first) && LABEL_NAME.test(second);
}

// A volume with a segment that is no label would be refused by the API server for ever, and match no node if it were
// not.
const segmentsSchema = z.record(
  z.string().refine(isLabelKey, 'is not a label key'),
  z.string().refine((value) => value === '' || LABEL_NAME.test(value), 'is not a label value'),
);

// Longer ids than the specification's 128 bytes are common (cloud resource paths) and harmless; a control character
// never is.
const volumeIdSchema = z
  .string()
  .min(1, 'is empty')
  .refine((id) => !/\p{Cc}/u.test(id), 'contains a control character');

const volumeSchema = z.object({
  volumeId: volumeIdSchema,
  capacityBytes: z.bigint().nonnegative('is negative'),
  volumeContext: z.record(z.string(), z.string()),
  accessibleTopology: z.array(z.object({ segments: segmentsSchema })),
});

/** Checks CreateVolume's reply against what was asked; the reason names the field and who must mend it. */
export function judgeReply(response: CreateVolumeResponse, plan: VolumePlan, driverName: string): ReplyVerdict {
  if (!response.volume) {
    return {
      kind: 'unusable',
      volumeId: undefined,
      why: `driver ${driverName} answered CreateVolume without a volume: correct the driver`,
    };
  }
  const parsed = volumeSchema.safeParse(response.volume);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join(', ');
    return {
      kind: 'unusable',
      volumeId: response.volume.volumeId || undefined,
      why: `driver ${driverName} answered CreateVolume with an invalid volume (${faults}): correct the driver`,
    };
  }
  const volume: CreatedVolume = {
    volumeId: parsed.data.volumeId,
    capacityBytes: parsed.data.capacityBytes,
    volumeContext: parsed.data.volumeContext,
    topologies: parsed.data.accessibleTopology.map((topology) => topology.segments),
  };
  if (volume.capacityBytes > 0n && volume.capacityBytes < plan.requestedBytes) {
    return {
      kind: 'unusable',
      volumeId: volume.volumeId,
      why: `driver ${driverName} created a volume of ${volume.capacityBytes} bytes where the claim asks for ${plan.requestedBytes}: ask for a size the driver can serve, or correct the driver`,
    };
  }
  if (plan.request.volumeContentSource !== undefined && response.volume.contentSource === undefined) {
    return {
      kind: 'unusable',
      volumeId: volume.volumeId,
      why: `driver ${driverName} created an empty volume where the claim asks for one with the data of ${plan.source?.kind} ${plan.source?.name}: correct the driver`,
    };
  }
  return { kind: 'usable', volume };
}
