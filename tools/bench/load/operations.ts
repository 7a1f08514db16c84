import type { StoreChange } from '@holdfast/control';
import {
  type KubeClient,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  type VolumeAttachment,
  volumeAttachments,
} from '@holdfast/kube';
import type { Operation } from '../arguments.ts';
import { inParallel } from './in-parallel.ts';
import { attachmentDraft, attachmentName, attributesClassName, claimDraft, namespace, type Sizes } from './objects.ts';
import { type Arrivals, noteArrivals, type Watcher } from './watcher.ts';

/** One goal of an operation: from when it was asked for to when it was there, per object. */
export interface Goal {
  readonly name: string;
  readonly latenciesMs: readonly number[];
  /** From the first request to the last object. */
  readonly totalMs: number;
}

export interface OperationDeps {
  readonly client: KubeClient;
  readonly watcher: Watcher;
  readonly driverName: string;
  readonly sizes: Sizes;
  readonly signal: AbortSignal;
}

/** As many clients as ask at once. */
const requestsAtOnce = 16;

/** Does one operation to each of the claims, as fast as the API server takes it, and waits until all is done. */
export async function runOperation(
  operation: Operation,
  claims: readonly string[],
  deps: OperationDeps,
): Promise<readonly Goal[]> {
  switch (operation) {
    case 'provision':
      return provision(claims, deps);
    case 'attach':
      return attach(claims, deps);
    case 'detach':
      return detach(claims, deps);
    case 'expand':
      return expand(claims, deps);
    case 'modify':
      return modify(claims, deps);
    case 'delete':
      return remove(claims, deps);
    default:
      return operation satisfies never;
  }
}

async function provision(claims: readonly string[], deps: OperationDeps): Promise<readonly Goal[]> {
  const { client, watcher, sizes, signal } = deps;
  const made = noteArrivals(watcher.volumes, claims, claimOfLiveVolume, { what: 'provisioned', signal });
  const bound = noteArrivals(watcher.claims, claims, boundClaim, { what: 'Bound', signal });
  const askedMs = await askForEach(claims, (name) =>
    client.create(persistentVolumeClaims, claimDraft(name, sizes), { signal }),
  );
  await Promise.all([made.all, bound.all]);
  return [goal('claim → PersistentVolume', askedMs, made), goal('claim → Bound', askedMs, bound)];
}

async function attach(claims: readonly string[], deps: OperationDeps): Promise<readonly Goal[]> {
  const { client, watcher, driverName, signal } = deps;
  const volumes = volumesOf(claims, watcher);
  const isAttached = ({ kind, object }: StoreChange<VolumeAttachment>): string | undefined =>
    kind !== 'deleted' && object.status?.attached ? object.spec.source.persistentVolumeName : undefined;
  const attached = noteArrivals(watcher.attachments, volumes, isAttached, { what: 'attached', signal });
  const askedMs = await askForEach(volumes, (name) =>
    client.create(volumeAttachments, attachmentDraft(name, driverName), { signal }),
  );
  await attached.all;
  return [goal('VolumeAttachment → attached', askedMs, attached)];
}

async function detach(claims: readonly string[], deps: OperationDeps): Promise<readonly Goal[]> {
  const { client, watcher, signal } = deps;
  const volumes = volumesOf(claims, watcher);
  const isGone = ({ kind, object }: StoreChange<VolumeAttachment>): string | undefined =>
    kind === 'deleted' ? object.spec.source.persistentVolumeName : undefined;
  const gone = noteArrivals(watcher.attachments, volumes, isGone, { what: 'detached', signal });
  const askedMs = await askForEach(volumes, (name) =>
    client.delete(volumeAttachments, { name: attachmentName(name) }, { signal }),
  );
  await gone.all;
  return [goal('VolumeAttachment deleted → gone', askedMs, gone)];
}

async function expand(claims: readonly string[], deps: OperationDeps): Promise<readonly Goal[]> {
  const { client, watcher, sizes, signal } = deps;
  const isGrown = (change: StoreChange<PersistentVolume>): string | undefined =>
    change.object.spec?.capacity?.storage === sizes.grownSize ? claimOfLiveVolume(change) : undefined;
  const grown = noteArrivals(watcher.volumes, claims, isGrown, { what: 'expanded', signal });
  const body = { spec: { resources: { requests: { storage: sizes.grownSize } } } };
  const askedMs = await askForEach(claims, (name) =>
    client.patch(persistentVolumeClaims, { namespace, name }, { kind: 'merge', body }, { signal }),
  );
  await grown.all;
  return [goal('claim grown → PersistentVolume grown', askedMs, grown)];
}

async function modify(claims: readonly string[], deps: OperationDeps): Promise<readonly Goal[]> {
  const { client, watcher, signal } = deps;
  const isModified = ({ kind, object }: StoreChange<PersistentVolumeClaim>): string | undefined =>
    kind !== 'deleted' && object.status?.currentVolumeAttributesClassName === attributesClassName
      ? object.metadata.name
      : undefined;
  const modified = noteArrivals(watcher.claims, claims, isModified, { what: 'modified', signal });
  const body = { spec: { volumeAttributesClassName: attributesClassName } };
  const askedMs = await askForEach(claims, (name) =>
    client.patch(persistentVolumeClaims, { namespace, name }, { kind: 'merge', body }, { signal }),
  );
  await modified.all;
  return [goal('class of claim changed → volume modified', askedMs, modified)];
}

async function remove(claims: readonly string[], deps: OperationDeps): Promise<readonly Goal[]> {
  const { client, watcher, signal } = deps;
  const isGone = ({ kind, object }: StoreChange<PersistentVolume>): string | undefined =>
    kind === 'deleted' ? object.spec?.claimRef?.name : undefined;
  const gone = noteArrivals(watcher.volumes, claims, isGone, { what: 'deleted', signal });
  const askedMs = await askForEach(claims, (name) =>
    client.delete(persistentVolumeClaims, { namespace, name }, { signal }),
  );
  await gone.all;
  return [goal('claim deleted → PersistentVolume gone', askedMs, gone)];
}

/** @returns when each was asked for */
async function askForEach(
  names: readonly string[],
  ask: (name: string) => Promise<unknown>,
): Promise<ReadonlyMap<string, number>> {
  const askedMs = new Map<string, number>();
  await inParallel(names, requestsAtOnce, async (name) => {
    askedMs.set(name, performance.now());
    await ask(name);
  });
  return askedMs;
}

function goal(name: string, askedMs: ReadonlyMap<string, number>, { atMs }: Arrivals): Goal {
  const latenciesMs = [...atMs].map(([key, reachedMs]) => reachedMs - (askedMs.get(key) ?? reachedMs));
  const firstMs = Math.min(...askedMs.values());
  return { name, latenciesMs, totalMs: Math.max(...atMs.values()) - firstMs };
}

function claimOfLiveVolume({ kind, object }: StoreChange<PersistentVolume>): string | undefined {
  return kind === 'deleted' ? undefined : object.spec?.claimRef?.name;
}

function boundClaim({ kind, object }: StoreChange<PersistentVolumeClaim>): string | undefined {
  return kind !== 'deleted' && object.status?.phase === 'Bound' ? object.metadata.name : undefined;
}

/** @throws Error for a claim without a volume */
function volumesOf(claims: readonly string[], { claims: store }: Watcher): string[] {
  return claims.map((name) => {
    const volume = store.get(`${namespace}/${name}`)?.spec?.volumeName;
    if (volume === undefined) throw new Error(`claim ${name} has no volume`);
    return volume;
  });
}
