import { isDeepStrictEqual } from 'node:util';
import type { StoreChange, WorkQueue } from '@holdfast/control';
import type { CSINode, PersistentVolume, VolumeAttachment } from '@holdfast/kube';
import { hasFinalizer, registeredNodeId } from './decide.ts';
import type { DriverTraits } from './driver-traits.ts';
import { annotations } from './names.ts';
import type { Repairs } from './repairs.ts';
import type { Stores } from './stores.ts';

export interface ChangesDeps {
  readonly stores: Stores;
  readonly driver: DriverTraits;
  readonly attachmentQueue: Pick<WorkQueue, 'add'>;
  readonly volumeQueue: Pick<WorkQueue, 'add'>;
  readonly repairs: Pick<Repairs, 'has' | 'forget'>;
}

/** Which change puts what into a queue. @returns the way to end it */
export function followChanges({ stores, driver, attachmentQueue, volumeQueue, repairs }: ChangesDeps): () => void {
  const { attachments, volumes, csiNodes } = stores;

  /** Those that may wait for what has just changed. */
  function addWaiting(found: readonly VolumeAttachment[]): void {
    for (const { metadata, spec, status } of found) {
      const isWaiting = metadata.deletionTimestamp !== undefined || !status?.attached || repairs.has(metadata.name);
      if (spec.attacher === driver.driverName && isWaiting) attachmentQueue.add(metadata.name);
    }
  }

  function onAttachment(change: StoreChange<VolumeAttachment>): void {
    const { metadata, spec } = change.object;
    const { name } = metadata;
    const volumeName = spec.source.persistentVolumeName;
    const isDeleted = change.kind === 'deleted';
    if (isDeleted) repairs.forget(name);
    else if (spec.attacher === driver.driverName && isForUs(change, driver)) attachmentQueue.add(name);
    if (volumeName === undefined) return;
    if (isDeleted) volumeQueue.add(volumeName);
    // It is unpublished then, also while others still hold the object.
    const isReleased =
      change.kind === 'updated' && hasFinalizer(change.old, driver) && !hasFinalizer(change.object, driver);
    if (isDeleted || isReleased) addWaiting(attachments.byIndex('volume', volumeName));
  }

  function onVolume({ kind, object: { metadata } }: StoreChange<PersistentVolume>): void {
    if (kind === 'deleted') return;
    volumeQueue.add(metadata.name);
    if (kind === 'added') addWaiting(attachments.byIndex('volume', metadata.name));
  }

  function onCsiNode(change: StoreChange<CSINode>): void {
    if (change.kind === 'deleted') return;
    const isNew =
      change.kind === 'added' || registeredNodeId(change.old, driver) !== registeredNodeId(change.object, driver);
    if (isNew) addWaiting(attachments.byIndex('node', change.object.metadata.name));
  }

  const subscriptions = [
    attachments.subscribe(onAttachment),
    volumes.subscribe(onVolume),
    csiNodes.subscribe(onCsiNode),
  ];
  return () => {
    for (const unsubscribe of subscriptions) unsubscribe();
  };
}

/**
 * Whether it is new, or somebody else has changed it. What we write ourselves (errors, finalizer, annotations, attached)
 * must not bring it back into the queue: a failed call would be repeated at once, without its back-off.
 */
function isForUs(change: Exclude<StoreChange<VolumeAttachment>, { kind: 'deleted' }>, driver: DriverTraits): boolean {
  if (change.kind === 'added') return true;
  const { old, object } = change;
  const hasLostAttached = (old.status?.attached ?? false) && !object.status?.attached;
  return hasLostAttached || !isDeepStrictEqual(othersPart(old, driver), othersPart(object, driver));
}

function othersPart({ metadata, spec }: VolumeAttachment, driver: DriverTraits): unknown {
  const { resourceVersion: _version, finalizers = [], annotations: notes = {}, ...kept } = metadata;
  const { [annotations.nodeId]: _node, [annotations.volumeHandle]: _volume, ...othersNotes } = notes;
  const { [annotations.publishSecret]: _secret, ...rest } = othersNotes;
  return {
    kept,
    spec,
    // We annotate only what is to be attached: on what is going it is somebody who tells us what to detach.
    notes: metadata.deletionTimestamp === undefined ? rest : notes,
    finalizers: finalizers.filter((name) => name !== driver.finalizer),
  };
}
