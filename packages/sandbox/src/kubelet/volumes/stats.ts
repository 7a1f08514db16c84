import { errorMessage } from '@holdfast/core';
import { NodeGetVolumeStatsRequest, VolumeUsage_Unit } from '@holdfast/csi-spec';
import type { KubeletPaths } from '../paths.ts';
import { type DriverRegistry, driverTimeoutMs } from '../plugins/drivers.ts';
import type { ActualState } from './state.ts';

/** What a driver says about one mounted volume. Sizes are decimal text: JSON numbers cannot hold them all. */
export interface VolumeStats {
  readonly volume: string;
  readonly driver: string;
  readonly path: string;
  readonly capacityBytes?: string;
  readonly usedBytes?: string;
  readonly availableBytes?: string;
  readonly inodes?: string;
  readonly inodesUsed?: string;
  readonly inodesFree?: string;
  /** Why there are no figures. */
  readonly error?: string;
}

interface StatsDeps {
  readonly drivers: DriverRegistry;
  readonly state: ActualState;
  readonly paths: KubeletPaths;
}

export async function statsOfPod(
  deps: StatsDeps,
  podUid: string,
  signal: AbortSignal,
): Promise<readonly VolumeStats[]> {
  return Promise.all(
    deps.state.volumesOf(podUid).map(async ({ ref }): Promise<VolumeStats> => {
      const path = deps.paths.targetPath(ref, podUid);
      const base = { volume: ref.specName, driver: ref.driver, path };
      try {
        return { ...base, ...(await usage(deps, ref, path, signal)) };
      } catch (error) {
        return { ...base, error: errorMessage(error) };
      }
    }),
  );
}

async function usage(
  deps: StatsDeps,
  ref: { readonly driver: string; readonly handle: string },
  volumePath: string,
  signal: AbortSignal,
): Promise<Partial<VolumeStats>> {
  const driver = deps.drivers.get(ref.driver);
  if (driver === undefined) {
    return { error: `driver ${ref.driver} is not registered` };
  }
  if (!driver.capabilities.has('GET_VOLUME_STATS')) {
    return { error: `driver ${ref.driver} reports no statistics` };
  }
  const request = NodeGetVolumeStatsRequest.fromPartial({ volumeId: ref.handle, volumePath });
  const reply = await deps.drivers.withNode(
    driver.endpoint,
    (client) => client.nodeGetVolumeStats(request, { timeoutMs: driverTimeoutMs, signal }),
    signal,
  );
  const bytes = reply.usage.find(({ unit }) => unit === VolumeUsage_Unit.BYTES);
  const inodes = reply.usage.find(({ unit }) => unit === VolumeUsage_Unit.INODES);
  return {
    ...(bytes === undefined
      ? {}
      : { capacityBytes: `${bytes.total}`, usedBytes: `${bytes.used}`, availableBytes: `${bytes.available}` }),
    ...(inodes === undefined
      ? {}
      : { inodes: `${inodes.total}`, inodesUsed: `${inodes.used}`, inodesFree: `${inodes.available}` }),
  };
}
