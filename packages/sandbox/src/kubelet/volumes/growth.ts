import type { Store } from '@holdfast/control';
import { type Clock, parseBytes } from '@holdfast/core';
import { type PersistentVolume, type PersistentVolumeClaim, persistentVolumeClaims, splitKey } from '@holdfast/kube';
import { RpcError } from '@holdfast/rpc';
import type { RegisteredDriver } from '../plugins/drivers.ts';
import type { VolumeAnnouncer } from './announcer.ts';
import type { Demand } from './demand.ts';
import { type ExpansionResult, expansionDue, expansionStatus } from './expansion.ts';
import type { CsiVolume } from './spec.ts';
import { expand, type StepDeps } from './steps.ts';

/** The node's half of an expansion: the resizer made the volume larger, the file system has to follow. */
export interface Growth {
  isDue(volume: CsiVolume): boolean;
  /** A volume that could not grow in use is about to be mounted anew: it may try again. */
  allowAgain(volume: CsiVolume): void;
  grow(demand: Demand, driver: RegisteredDriver, signal: AbortSignal): Promise<void>;
}

interface GrowthDeps extends StepDeps {
  readonly claims: Store<PersistentVolumeClaim>;
  readonly volumes: Store<PersistentVolume>;
  readonly announcer: VolumeAnnouncer;
  readonly clock: Clock;
}

// What a driver answers when trying again would change nothing.
const infeasible = new Set(['InvalidArgument', 'OutOfRange', 'NotFound']);

export function createGrowth(deps: GrowthDeps): Growth {
  const claimOf = ({ claimKey }: CsiVolume) => (claimKey === undefined ? undefined : deps.claims.get(claimKey));
  // Volumes whose driver answered FailedPrecondition: in use they do not grow. As kubelet, we leave them be until they are
  // mounted anew (CSI: the caller should not retry before the cause is gone).
  const refusedInUse = new Set<string>();
  const dueSize = (volume: CsiVolume) => expansionDue(claimOf(volume), deps.volumes.get(volume.specName));

  async function write(volume: CsiVolume, result: ExpansionResult, signal: AbortSignal): Promise<void> {
    const claim = claimOf(volume);
    if (claim === undefined || volume.claimKey === undefined) {
      return;
    }
    const status = claim.status?.allocatedResourceStatuses?.['storage'];
    if (result.kind === 'started' && status === 'NodeResizeInProgress') {
      return;
    }
    const { uid, resourceVersion } = claim.metadata;
    const body = { metadata: { uid, resourceVersion }, status: expansionStatus(claim, result) };
    const patch = { kind: 'merge', body } as const;
    const ref = splitKey(volume.claimKey);
    deps.claims.applyWrite(
      await deps.client.patch(persistentVolumeClaims, ref, patch, { subresource: 'status', signal }),
    );
  }

  return {
    isDue: (volume) => !refusedInUse.has(volume.uniqueName) && dueSize(volume) !== undefined,
    allowAgain: (volume) => void refusedInUse.delete(volume.uniqueName),
    grow: async ({ pod, volume }, driver, signal) => {
      const capacity = dueSize(volume);
      if (capacity === undefined) {
        return;
      }
      await write(volume, { kind: 'started' }, signal);
      try {
        const requiredBytes = parseBytes(capacity);
        await expand(deps, { volume, driver, podUid: pod.metadata.uid, requiredBytes }, signal);
      } catch (error) {
        const code = error instanceof RpcError ? error.code : undefined;
        if (!(error instanceof RpcError) || (code !== 'FailedPrecondition' && !infeasible.has(error.code))) {
          throw error;
        }
        deps.announcer.cannotGrow(pod, volume, error);
        if (code === 'FailedPrecondition') {
          refusedInUse.add(volume.uniqueName);
          await write(volume, { kind: 'refusedInUse', message: error.message, nowMs: deps.clock.nowMs() }, signal);
          return;
        }
        await write(volume, { kind: 'infeasible', message: error.message, nowMs: deps.clock.nowMs() }, signal);
        return;
      }
      await write(volume, { kind: 'grown', capacity }, signal);
      deps.announcer.grown(pod, volume);
    },
  };
}
