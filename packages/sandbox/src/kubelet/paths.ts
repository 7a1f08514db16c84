import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** A name that would leave the folder it is meant for. */
export class PathError extends Error {
  override readonly name = 'PathError';
}

/** A CSI volume as paths and records name it; enough to take it down again after a restart. */
export interface VolumeRef {
  readonly driver: string;
  readonly handle: string;
  /** The PersistentVolume's name, or the name of an inline volume inside its pod. */
  readonly specName: string;
  readonly isBlock: boolean;
}

/** Where kubelet keeps things below its root; drivers and their users know these places. */
export interface KubeletPaths {
  readonly root: string;
  readonly pluginsRegistry: string;
  readonly pods: string;
  readonly csiPlugins: string;
  podDir(podUid: string): string;
  containerDir(podUid: string, container: string): string;
  /** What the driver's NodeStageVolume is given; `vol_data.json` stands in the folder above it. */
  stagingPath(volume: VolumeRef): string;
  stagingRecord(volume: VolumeRef): string;
  /** What the driver makes in NodePublishVolume: a folder, or a file for a block volume. */
  targetPath(volume: VolumeRef, podUid: string): string;
  targetRecord(volume: VolumeRef, podUid: string): string;
  emptyDir(podUid: string, volumeName: string): string;
  /** Of a volume whose files kubelet writes; `plugin` is the folder's name, such as `kubernetes.io~projected`. */
  contentDir(podUid: string, plugin: string, volumeName: string): string;
}

// Uids, volume and container names are DNS labels or subdomains; this lets nothing through that a path would interpret.
const safeName = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;

export function safe(name: string, what: string): string {
  if (!safeName.test(name)) {
    throw new PathError(
      `${what} ${JSON.stringify(name.slice(0, 80))} cannot be part of a path: use letters, digits, '-' and '.'`,
    );
  }
  return name;
}

export function createPaths(root: string): KubeletPaths {
  const pods = join(root, 'pods');
  const csiPlugins = join(root, 'plugins', 'kubernetes.io', 'csi');
  const blockRoot = join(csiPlugins, 'volumeDevices');
  const podDir = (podUid: string) => join(pods, safe(podUid, 'pod uid'));

  const stagingDir = ({ driver, handle }: VolumeRef) =>
    join(csiPlugins, safe(driver, 'driver name'), createHash('sha256').update(handle).digest('hex'));
  const blockDir = ({ specName }: VolumeRef) => join(blockRoot, safe(specName, 'volume name'));
  const podVolumeDir = (volume: VolumeRef, podUid: string) =>
    join(
      podDir(podUid),
      volume.isBlock ? 'volumeDevices' : 'volumes',
      'kubernetes.io~csi',
      safe(volume.specName, 'volume name'),
    );

  return {
    root,
    pluginsRegistry: join(root, 'plugins_registry'),
    pods,
    csiPlugins,
    podDir,
    containerDir: (podUid, container) => join(podDir(podUid), 'containers', safe(container, 'container name')),
    stagingPath: (volume) =>
      volume.isBlock
        ? join(blockRoot, 'staging', safe(volume.specName, 'volume name'))
        : join(stagingDir(volume), 'globalmount'),
    stagingRecord: (volume) =>
      volume.isBlock ? join(blockDir(volume), 'data', 'vol_data.json') : join(stagingDir(volume), 'vol_data.json'),
    targetPath: (volume, podUid) =>
      volume.isBlock
        ? join(blockRoot, 'publish', safe(volume.specName, 'volume name'), safe(podUid, 'pod uid'))
        : join(podVolumeDir(volume, podUid), 'mount'),
    targetRecord: (volume, podUid) => join(podVolumeDir(volume, podUid), 'vol_data.json'),
    emptyDir: (podUid, volumeName) =>
      join(podDir(podUid), 'volumes', 'kubernetes.io~empty-dir', safe(volumeName, 'volume name')),
    contentDir: (podUid, plugin, volumeName) =>
      join(podDir(podUid), 'volumes', plugin, safe(volumeName, 'volume name')),
  };
}

/** Inline volumes have no handle of their own: kubelet derives one from the pod. */
export function ephemeralHandle(podUid: string, volumeName: string): string {
  return `csi-${createHash('sha256').update(`${podUid}${volumeName}`).digest('hex')}`;
}
