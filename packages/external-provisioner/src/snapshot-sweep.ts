import { runPeriodically } from '@holdfast/control';
import { type Clock, errorMessage, type Logger } from '@holdfast/core';
import {
  isForbidden,
  isNotFound,
  type KubeClient,
  type VolumeSnapshot,
  volumeSnapshotContents,
  volumeSnapshots,
} from '@holdfast/kube';
import { changeFinalizer } from './change-finalizer.ts';
import { SNAPSHOT_SOURCE_FINALIZER } from './names.ts';
import { sourceKey } from './source-ref.ts';

const PAGE = 500;

/**
 * Takes our finalizer off snapshots that no claim is filled from: what a restore that failed, or one whose claim is gone, has
 * left behind. Only of our driver: another's provisioner knows of claims that we do not.
 */
export async function sweepSnapshots(deps: {
  client: KubeClient;
  driverName: string;
  /** 0: never. */
  intervalMs: number;
  isInUse: (key: string) => boolean;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const { client, driverName, intervalMs, isInUse, clock, log } = deps;
  if (intervalMs === 0) return;
  const stopping = new AbortController();
  const signal = AbortSignal.any([deps.signal, stopping.signal]);

  async function isOurs({ status }: VolumeSnapshot): Promise<boolean> {
    const name = status?.boundVolumeSnapshotContentName;
    if (!name) return false;
    try {
      return (await client.get(volumeSnapshotContents, { name }, { signal })).spec.driver === driverName;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async function release(snapshot: VolumeSnapshot): Promise<void> {
    const { name, namespace = '' } = snapshot.metadata;
    if (!snapshot.metadata.finalizers?.includes(SNAPSHOT_SOURCE_FINALIZER)) return;
    if (isInUse(sourceKey({ kind: 'VolumeSnapshot', namespace, name })) || !(await isOurs(snapshot))) return;
    const change = { finalizer: SNAPSHOT_SOURCE_FINALIZER, isWanted: false, signal };
    await changeFinalizer(client, volumeSnapshots, snapshot, change);
    log.info('Released a snapshot that no claim is filled from', { snapshot: `${namespace}/${name}` });
  }

  async function sweep(): Promise<void> {
    let continueToken: string | undefined;
    do {
      const page = await client.list(volumeSnapshots, {
        limit: PAGE,
        ...(continueToken === undefined ? {} : { continueToken }),
        signal,
      });
      for (const snapshot of page.items) await release(snapshot);
      continueToken = page.continueToken || undefined;
    } while (continueToken !== undefined);
  }

  await runPeriodically({
    periodMs: intervalMs,
    async act() {
      try {
        await sweep();
      } catch (error) {
        if (signal.aborted) return;
        if (!isForbidden(error) && !isNotFound(error)) {
          log.warn('Cannot sweep snapshots, tried again later', { error: errorMessage(error) });
          return;
        }
        log.info(
          'No snapshots to sweep: there are none in this cluster, or the role does not grant to list and patch or update them',
          {
            error: errorMessage(error),
          },
        );
        stopping.abort();
      }
    },
    clock,
    signal,
  });
}
