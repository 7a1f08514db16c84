import { parseQuantity, quantityToBytes } from '@holdfast/core';
import type { CSIStorageCapacity, OwnerReference, StorageClass } from '@holdfast/kube';

/** GetCapacity's answer for a pair. */
export interface Room {
  readonly availableBytes: bigint;
  readonly maximumVolumeBytes: bigint | undefined;
}

export interface CapacityView {
  /** There is such a class of our driver and such a place. */
  readonly isWanted: boolean;
  /** Those of the pair, by name. More than one are left from a race. */
  readonly objects: readonly CSIStorageCapacity[];
  /** Undefined until the driver has been asked, or when it is to be asked again. */
  readonly room: Room | undefined;
}

export type CapacityStep = { readonly reason: string } & (
  | { readonly kind: 'done' }
  | { readonly kind: 'ask' }
  | { readonly kind: 'remove'; readonly objects: readonly CSIStorageCapacity[] }
  | { readonly kind: 'create'; readonly room: Room }
  | { readonly kind: 'update'; readonly object: CSIStorageCapacity; readonly room: Room }
);

/** The next step for the object of one class in one place. */
export function decideCapacity(view: CapacityView, owner: OwnerReference | undefined): CapacityStep {
  const { isWanted, objects, room } = view;
  const [first, ...surplus] = objects;
  if (!isWanted) {
    if (!first) return { kind: 'done', reason: 'nothing is wanted and nothing is there' };
    return { kind: 'remove', objects, reason: 'the class or the place is gone' };
  }
  if (surplus.length > 0) return { kind: 'remove', objects: surplus, reason: 'one object is enough' };
  if (!room) return { kind: 'ask', reason: 'how much room there is must be asked' };
  if (!first) return { kind: 'create', room, reason: 'there is no object yet' };
  const isSame =
    bytesOf(first.capacity) === room.availableBytes && bytesOf(first.maximumVolumeSize) === room.maximumVolumeBytes;
  if (isSame && isOwned(first, owner)) return { kind: 'done', reason: 'the object says what the driver says' };
  return {
    kind: 'update',
    object: first,
    room,
    reason: isSame ? 'the object has another owner' : 'the room has changed',
  };
}

function bytesOf(quantity: string | undefined): bigint | undefined {
  return quantity === undefined ? undefined : quantityToBytes(parseQuantity(quantity));
}

function isOwned({ metadata }: CSIStorageCapacity, owner: OwnerReference | undefined): boolean {
  return owner === undefined || (metadata.ownerReferences ?? []).some(({ uid }) => uid === owner.uid);
}

/** Whether room is told of for a class: of those that bind at once only when asked for, for no scheduler reads it. */
export function isTold(storageClass: StorageClass, driverName: string, isForImmediateBinding: boolean): boolean {
  if (storageClass.provisioner !== driverName) return false;
  return isForImmediateBinding || storageClass.volumeBindingMode !== 'Immediate';
}
