import type { StoreChange, WorkQueue } from '@holdfast/control';
import { objectKey, type PersistentVolumeClaim } from '@holdfast/kube';
import type { ClaimMemory } from './claim-memory.ts';
import type { Contention } from './contention.ts';
import { CLONE_SOURCE_FINALIZER } from './names.ts';
import { sourceKeyOf } from './source-ref.ts';
import type { Stores } from './stores.ts';

/** Which change puts what into a queue. @returns the way to end it */
export function wakeQueues(deps: {
  stores: Stores;
  memory: ClaimMemory;
  contention: Contention | undefined;
  claimQueue: WorkQueue;
  volumeQueue: WorkQueue;
  cloneSourceQueue: WorkQueue;
}): () => void {
  const { memory, contention, claimQueue, volumeQueue, cloneSourceQueue } = deps;
  const { claims, volumes, classes, attachments, attributesClasses } = deps.stores;
  const isOpen = ({ metadata, spec }: PersistentVolumeClaim) => !spec?.volumeName || memory.has(metadata.uid);
  const onClaim = (change: StoreChange<PersistentVolumeClaim>) => {
    const { uid } = change.object.metadata;
    if (change.kind === 'deleted') contention?.forget(uid);
    if (change.kind === 'deleted' ? memory.has(uid) : isOpen(change.object)) claimQueue.add(uid);
    wakeCloneSources(change);
  };
  const wakeCloneSources = (change: StoreChange<PersistentVolumeClaim>) => {
    const { object } = change;
    if (
      object.metadata.deletionTimestamp !== undefined &&
      object.metadata.finalizers?.includes(CLONE_SOURCE_FINALIZER)
    ) {
      cloneSourceQueue.add(objectKey(object));
    }
    // A claim that was to be cloned, and is or is gone.
    const before = change.kind === 'updated' ? change.old : object;
    const source = change.kind === 'added' ? undefined : sourceKeyOf(before);
    const prefix = 'PersistentVolumeClaim/';
    if (source?.startsWith(prefix)) cloneSourceQueue.add(source.slice(prefix.length));
  };
  const addClaims = (found: readonly PersistentVolumeClaim[]) => {
    for (const claim of found) claimQueue.add(claim.metadata.uid);
  };
  const subscriptions = [
    claims.subscribe(onClaim),
    attributesClasses.subscribe(({ kind, object }) => {
      if (kind !== 'deleted') addClaims(claims.byIndex('attributesClass', object.metadata.name));
    }),
    classes.subscribe(({ kind, object }) => {
      if (kind !== 'deleted') addClaims(claims.byIndex('class', object.metadata.name));
    }),
    volumes.subscribe(({ kind, object }) => {
      volumeQueue.add(object.metadata.name);
      if (kind === 'deleted') addClaims(claims.byIndex('volumeName', object.metadata.name));
    }),
    attachments.subscribe(({ kind, object }) => {
      const name = object.spec.source.persistentVolumeName;
      if (kind === 'deleted' && name) volumeQueue.add(name);
    }),
  ];
  addClaims(claims.list().filter(isOpen));
  for (const claim of claims.list()) wakeCloneSources({ kind: 'added', object: claim });
  for (const volume of volumes.list()) volumeQueue.add(volume.metadata.name);
  return () => {
    for (const unsubscribe of subscriptions) unsubscribe();
  };
}
