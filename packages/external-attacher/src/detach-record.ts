import type { VolumeAttachment } from '@holdfast/kube';
import { annotations } from './names.ts';
import type { SecretRef } from './publish-request.ts';

/** What a detach needs beside the node id, as it was when the volume was published. */
export interface DetachRecord {
  readonly volumeId: string;
  readonly secretRef?: SecretRef;
}

/** What of the record a VolumeAttachment carries in its annotations; undefined: it must carry none. */
export function recordAnnotations({ volumeId, secretRef }: DetachRecord): Record<string, string | undefined> {
  return {
    [annotations.volumeHandle]: volumeId,
    [annotations.publishSecret]: secretRef && `${secretRef.namespace}/${secretRef.name}`,
  };
}

/** Undefined when nothing is recorded: it was published by another program, or never. */
export function detachRecord({ metadata }: VolumeAttachment): DetachRecord | undefined {
  const volumeId = metadata.annotations?.[annotations.volumeHandle];
  if (!volumeId) return undefined;
  const secret = metadata.annotations?.[annotations.publishSecret];
  if (!secret) return { volumeId };
  const [namespace = '', ...name] = secret.split('/');
  return { volumeId, secretRef: { namespace, name: name.join('/') } };
}
