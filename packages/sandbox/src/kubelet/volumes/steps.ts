import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NodeUnpublishVolumeRequest, NodeUnstageVolumeRequest } from '@holdfast/csi-spec';
import { isNotFound, type KubeClient, type Pod, secrets } from '@holdfast/kube';
import { toRpcError } from '@holdfast/rpc';
import { removeDirUnlessUsed, removeEmptyDir, removeFile } from '../files.ts';
import { readMountPoints } from '../mountinfo.ts';
import type { KubeletPaths } from '../paths.ts';
import { type DriverRegistry, driverTimeoutMs, type NodeClient, type RegisteredDriver } from '../plugins/drivers.ts';
import type { Progress } from './decide.ts';
import { applyGroup } from './group-ownership.ts';
import type { VolumeRecords } from './records.ts';
import { expandRequest, podInfo, publishRequest, stageRequest } from './requests.ts';
import type { CsiVolume, SecretRef } from './spec.ts';
import type { VolumeState } from './state.ts';

export interface StepDeps {
  readonly client: KubeClient;
  readonly drivers: DriverRegistry;
  readonly paths: KubeletPaths;
  readonly records: VolumeRecords;
}

type StringMap = Readonly<Record<string, string>>;

export async function stage(
  deps: StepDeps,
  step: {
    readonly state: VolumeState;
    readonly volume: CsiVolume;
    readonly driver: RegisteredDriver;
    readonly publishContext: StringMap;
    readonly mountGroup: string;
  },
  signal: AbortSignal,
): Promise<void> {
  const { state, volume, driver } = step;
  const stagingPath = deps.paths.stagingPath(volume);
  const secretValues = await readSecret(deps.client, volume.stageSecret, signal);
  const request = stageRequest(volume, {
    stagingPath,
    publishContext: step.publishContext,
    secrets: secretValues,
    capabilities: driver.capabilities,
    mountGroup: step.mountGroup,
  });
  await deps.records.writeStage(volume);
  await mkdir(stagingPath, { recursive: true, mode: 0o750 });
  await mounting(
    (progress) => {
      state.stage = progress;
    },
    () =>
      call(deps, driver, (client) => client.nodeStageVolume(request, { timeoutMs: driverTimeoutMs, signal }), signal),
    () => removeStaging(deps, state),
  );
}

export async function publish(
  deps: StepDeps,
  step: {
    readonly state: VolumeState;
    readonly volume: CsiVolume;
    readonly driver: RegisteredDriver;
    readonly pod: Pod;
    readonly isReadOnly: boolean;
    readonly isPodInfoWanted: boolean;
    readonly publishContext: StringMap;
    readonly mountGroup: string;
    /** The group that kubelet itself gives the files to. */
    readonly group: number | undefined;
  },
  signal: AbortSignal,
): Promise<void> {
  const { state, volume, driver, pod } = step;
  const podUid = pod.metadata.uid;
  const targetPath = deps.paths.targetPath(volume, podUid);
  const secretValues = await readSecret(deps.client, volume.publishSecret, signal);
  const request = publishRequest(volume, {
    stagingPath: deps.paths.stagingPath(volume),
    targetPath,
    isReadOnly: step.isReadOnly,
    podInfo: step.isPodInfoWanted ? podInfo(pod, volume.isEphemeral) : {},
    publishContext: step.publishContext,
    secrets: secretValues,
    capabilities: driver.capabilities,
    mountGroup: step.mountGroup,
  });
  await deps.records.writePublication(volume, podUid);
  await mkdir(dirname(targetPath), { recursive: true, mode: 0o750 });
  await mounting(
    (progress) => state.publications.set(podUid, progress),
    () =>
      call(deps, driver, (client) => client.nodePublishVolume(request, { timeoutMs: driverTimeoutMs, signal }), signal),
    () => removeTarget(deps, state, podUid),
  );
  if (step.group !== undefined) {
    state.publications.set(podUid, 'uncertain');
    await applyGroup(targetPath, step.group, signal);
    state.publications.set(podUid, 'done');
  }
}

export async function unpublish(
  deps: StepDeps,
  state: VolumeState,
  driver: RegisteredDriver,
  podUid: string,
  signal: AbortSignal,
): Promise<void> {
  const targetPath = deps.paths.targetPath(state.ref, podUid);
  const request = NodeUnpublishVolumeRequest.fromPartial({ volumeId: state.ref.handle, targetPath });
  state.publications.set(podUid, 'uncertain');
  await call(
    deps,
    driver,
    (client) => client.nodeUnpublishVolume(request, { timeoutMs: driverTimeoutMs, signal }),
    signal,
  );
  await removeTarget(deps, state, podUid);
  state.publications.delete(podUid);
}

export async function unstage(
  deps: StepDeps,
  state: VolumeState,
  driver: RegisteredDriver,
  signal: AbortSignal,
): Promise<void> {
  const stagingTargetPath = deps.paths.stagingPath(state.ref);
  if (driver.capabilities.has('STAGE_UNSTAGE_VOLUME')) {
    const request = NodeUnstageVolumeRequest.fromPartial({ volumeId: state.ref.handle, stagingTargetPath });
    state.stage = 'uncertain';
    await call(
      deps,
      driver,
      (client) => client.nodeUnstageVolume(request, { timeoutMs: driverTimeoutMs, signal }),
      signal,
    );
  }
  await removeStaging(deps, state);
  state.stage = 'absent';
}

export async function expand(
  deps: StepDeps,
  step: {
    readonly volume: CsiVolume;
    readonly driver: RegisteredDriver;
    readonly podUid: string;
    readonly requiredBytes: bigint;
  },
  signal: AbortSignal,
): Promise<void> {
  const { volume, driver } = step;
  const request = expandRequest(volume, {
    volumePath: deps.paths.targetPath(volume, step.podUid),
    stagingPath: deps.paths.stagingPath(volume),
    requiredBytes: step.requiredBytes,
    secrets: await readSecret(deps.client, volume.expandSecret, signal),
    capabilities: driver.capabilities,
  });
  await call(
    deps,
    driver,
    (client) => client.nodeExpandVolume(request, { timeoutMs: driverTimeoutMs, signal }),
    signal,
  );
}

/** After a final error the driver has left nothing; after any other, it may still be at work. */
async function mounting(
  setProgress: (progress: Progress) => void,
  work: () => Promise<unknown>,
  cleanUp: () => Promise<void>,
): Promise<void> {
  setProgress('uncertain');
  try {
    await work();
    setProgress('done');
  } catch (error) {
    const rpcError = toRpcError(error);
    if (rpcError.isFinal) {
      await cleanUp();
      setProgress('absent');
    }
    throw rpcError;
  }
}

async function call<T>(
  deps: StepDeps,
  driver: RegisteredDriver,
  work: (client: NodeClient) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  return deps.drivers.withNode(driver.endpoint, work, signal);
}

async function removeTarget({ paths, records }: StepDeps, { ref }: VolumeState, podUid: string): Promise<void> {
  const target = paths.targetPath(ref, podUid);
  await mustNotBeMounted(target, 'NodeUnpublishVolume');
  if (ref.isBlock) {
    await removeFile(target);
    // Pods that share the volume share this folder.
    await removeDirUnlessUsed(dirname(target));
  } else {
    await removeMountPoint(target);
  }
  await records.removePublication(ref, podUid);
  await removeEmptyDir(dirname(paths.targetRecord(ref, podUid)));
}

async function removeStaging({ paths, records }: StepDeps, { ref }: VolumeState): Promise<void> {
  const stagingPath = paths.stagingPath(ref);
  await mustNotBeMounted(stagingPath, 'NodeUnstageVolume');
  await removeMountPoint(stagingPath);
  await records.removeStage(ref);
  const recordDir = dirname(paths.stagingRecord(ref));
  await removeEmptyDir(recordDir);
  if (ref.isBlock) {
    await removeDirUnlessUsed(dirname(recordDir));
  }
}

async function removeMountPoint(path: string): Promise<void> {
  try {
    await removeEmptyDir(path);
  } catch (error) {
    throw new Error(`${path} is not mounted and yet not empty: move what was written there, then it will be removed`, {
      cause: error,
    });
  }
}

async function mustNotBeMounted(path: string, rpc: string): Promise<void> {
  if ((await readMountPoints()).has(path)) {
    throw new Error(`${path} is still a mount point after ${rpc} succeeded`);
  }
}

/** The values of a secret, decoded. @throws when it is missing, naming it and never its content */
async function readSecret(client: KubeClient, ref: SecretRef | undefined, signal: AbortSignal): Promise<StringMap> {
  if (ref === undefined) {
    return {};
  }
  try {
    const secret = await client.get(secrets, ref, { signal });
    return Object.fromEntries(
      Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
    );
  } catch (error) {
    if (isNotFound(error)) {
      throw new Error(`secret ${ref.namespace}/${ref.name} not found: create it, and the volume is mounted`, {
        cause: error,
      });
    }
    throw error;
  }
}
