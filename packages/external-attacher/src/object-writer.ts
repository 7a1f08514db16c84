import { readLive, type Store } from '@holdfast/control';
import { errorMessage } from '@holdfast/core';
import {
  isConflict,
  isInvalid,
  isNotFound,
  type KubeClient,
  type KubeObject,
  type Patch,
  type PersistentVolume,
  persistentVolumes,
  type Resource,
  type VolumeAttachment,
  volumeAttachments,
} from '@holdfast/kube';
import type { Stores } from './stores.ts';

/** A guarded patch was refused because the object is not as we saw it. The cache holds the newest version by now. */
export class OutdatedError extends Error {
  override readonly name = 'OutdatedError';
}

type Write<T> = (object: T, patch: Patch | undefined, signal: AbortSignal) => Promise<T>;

/**
 * Patches, and lets the caches know what came of it. Without a patch there is nothing to write, and the object is as it
 * was. All throw OutdatedError when the object has changed, and NotFound when it is gone.
 */
export interface ObjectWriter {
  readonly patchAttachment: Write<VolumeAttachment>;
  readonly patchAttachmentStatus: Write<VolumeAttachment>;
  readonly patchVolume: Write<PersistentVolume>;
}

export function createObjectWriter(deps: {
  client: KubeClient;
  stores: Pick<Stores, 'attachments' | 'volumes'>;
}): ObjectWriter {
  const { client, stores } = deps;

  function writeTo<T extends KubeObject>(
    resource: Resource<T>,
    store: Store<T>,
    options: { subresource?: 'status' } = {},
  ): Write<T> {
    return async (object, patch, signal) => {
      if (patch === undefined) return object;
      const { name, uid } = object.metadata;
      try {
        const after = await client.patch(resource, { name }, patch, { ...options, signal });
        if (isGone(after)) store.applyDelete(name, uid);
        else store.applyWrite(after);
        return after;
      } catch (error) {
        if (isNotFound(error)) store.applyDelete(name, uid);
        if (!isInvalid(error) && !isConflict(error)) throw error;
        await readLive({ client, resource, store }, { name }, signal);
        const message = `${resource.kind} "${name}" has changed since it was read: ${errorMessage(error)}`;
        throw new OutdatedError(message, { cause: error });
      }
    };
  }

  return {
    patchAttachment: writeTo(volumeAttachments, stores.attachments),
    patchAttachmentStatus: writeTo(volumeAttachments, stores.attachments, { subresource: 'status' }),
    patchVolume: writeTo(persistentVolumes, stores.volumes),
  };
}

/** What is left when the last finalizer of a deleted object goes: the server has dropped it. */
export function isGone({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;
}
