import { mkdir } from 'node:fs/promises';
import type { Logger } from '@holdfast/core';
import { type Access, isReadOnlyAccess, type StageRequest, type Volume } from '@holdfast/driver-kit';
import {
  blockDeviceSizeBytes,
  canonicalMountPoint,
  checkFileSystem,
  findMount,
  formatAgain,
  formatBlankDevice,
  growFileSystem,
  growUnmountedFileSystem,
  isFileSystemType,
  isReadOnlyMount,
  type LoopDevice,
  limitIo,
  mountFileSystem,
  probeDevice,
  renewUuid,
  unmountAll,
} from '@holdfast/mount';
import { rpcError } from '@holdfast/rpc';
import type { RecordStore } from '../pool/record-store.ts';
import { notOurs } from '../target-path.ts';
import { decideFormat } from './decide-format.ts';
import { isFileSystemOn, isLoopMount } from './device-mounts.ts';
import type { DiskDevices } from './disk-device.ts';
import type { StageRecord } from './stage-record.ts';
import { tuneDevice, tuneFileSystem } from './tuning.ts';

export interface DiskStaging {
  stage(request: StageRequest): Promise<void>;
  unstage(id: string, stagingPath: string): Promise<void>;
}

export interface DiskStagingDeps {
  readonly devices: DiskDevices;
  readonly stageRecords: RecordStore<StageRecord>;
  /** Empty: devices are not limited. */
  readonly ioCgroup: string;
  readonly log: Logger;
}

/** Loop device, format, check, mount: each step looks at what is there, so a repeated call goes on where the last one ended. */
export function createDiskStaging(deps: DiskStagingDeps): DiskStaging {
  const { devices, stageRecords, ioCgroup, log } = deps;

  return {
    async stage({ volume, stagingPath, access }) {
      const loop = await devices.attach(volume);
      await tuneDevice(volume, loop.device, ioCgroup);
      if (access.kind === 'block') return;
      const fsType = chosenFsType(volume, access);
      if (await isStaged(loop, stagingPath, fsType, wantsReadOnly(loop, access))) return;
      const record = await prepareFileSystem({ volume, loop, fsType, stagingPath });
      await mkdir(stagingPath, { recursive: true, mode: 0o750 });
      const options = [...access.mountFlags, ...(wantsReadOnly(loop, access) ? ['ro'] : [])];
      await mountFileSystem({ source: loop.device, target: stagingPath, fsType, options });
      await fill(volume.id, record, loop, stagingPath);
      if (!loop.isReadOnly && !options.includes('ro')) {
        const mountPoint = await canonicalMountPoint(stagingPath);
        await tuneFileSystem(volume, { device: loop.device, fsType, mountPoint });
      }
    },

    async unstage(id, stagingPath) {
      const entry = await findMount(stagingPath);
      if (entry !== undefined && !(await devices.isMountOf(id, entry))) throw notOurs(stagingPath, entry);
      if (await devices.isOfAnotherNode(id)) {
        // Taken from this node while it was away: only what it has mounted itself is left to clear.
        await unmountAll(stagingPath);
        return;
      }
      const loop = await devices.find(id);
      const mounts = loop === undefined ? [] : await devices.mountsOf(loop.device);
      const staging = await canonicalMountPoint(stagingPath);
      const lost = new Set((await stageRecords.load(id))?.lostMounts);
      const other = mounts.find(({ mountPoint }) => mountPoint !== staging && !lost.has(mountPoint));
      if (other !== undefined) {
        throw rpcError(
          'FailedPrecondition',
          `volume ${id} is still published at ${other.mountPoint}: unpublish it first`,
        );
      }
      await unmountAll(stagingPath);
      // The lost node detaches it when it is back and clears up.
      if (mounts.some(({ mountPoint }) => lost.has(mountPoint))) return;
      if (loop !== undefined && ioCgroup !== '') await limitIo(ioCgroup, loop.device, {});
      if ((await devices.release(id)) === 'inUse') {
        throw rpcError(
          'FailedPrecondition',
          `the device of volume ${id} is still in use: another mount namespace or process holds it; it is detached once that ends`,
        );
      }
    },
  };

  async function prepareFileSystem(asked: {
    volume: Volume;
    loop: LoopDevice;
    fsType: string;
    stagingPath: string;
  }): Promise<StageRecord> {
    const { volume, loop, fsType, stagingPath } = asked;
    const { device } = loop;
    const before = await stageRecords.load(volume.id);
    const step = decideFormat(before, await probeDevice(device), fsType, loop.isReadOnly);
    const filledBytes = await blockDeviceSizeBytes(device);
    switch (step.kind) {
      case 'refuse':
        throw rpcError('FailedPrecondition', `volume ${volume.id} is not mounted: ${step.reason}`);
      case 'use': {
        const record: StageRecord = before ?? {
          version: 1,
          fileSystem: { kind: 'formatted', fsType },
          stagingPath,
          filledBytes: 0n,
        };
        // Left mounted by a node of this machine that has lost it: one kernel, one file system, and no tool may touch the device.
        const lostMounts = (await devices.mountsOf(device)).map(({ mountPoint }) => mountPoint);
        // A copy, mounted for the first time: beside its source, which may be mounted too.
        const isNewCopy = before === undefined && volume.source !== undefined;
        if (isNewCopy && !loop.isReadOnly && lostMounts.length === 0) await renewUuid({ device, fsType });
        await remember(volume.id, before, { ...record, stagingPath, lostMounts });
        if (lostMounts.length > 0) return { ...record, stagingPath, lostMounts };
        if (!loop.isReadOnly && (await checkFileSystem(device, fsType)).isCorrected) {
          log.warn('fsck corrected the file system', { volume: volume.id, device });
        }
        // A volume that grew while it was not mounted: ext can be grown now, without the capability that a mounted one asks for.
        if (!loop.isReadOnly && record.filledBytes !== filledBytes) await growUnmountedFileSystem({ device, fsType });
        return { ...record, stagingPath };
      }
      case 'format':
      case 'formatAgain': {
        if (!isFileSystemType(fsType))
          throw rpcError('InvalidArgument', `a volume cannot be formatted as ${JSON.stringify(fsType)}`);
        const record = { version: 1, stagingPath, filledBytes } as const;
        await stageRecords.save(volume.id, { ...record, fileSystem: { kind: 'formatting', fsType } });
        await (step.kind === 'format' ? formatBlankDevice : formatAgain)({ device, fsType });
        const formatted: StageRecord = { ...record, fileSystem: { kind: 'formatted', fsType } };
        await stageRecords.save(volume.id, formatted);
        return formatted;
      }
      default:
        return step satisfies never;
    }
  }

  /** xfs and btrfs grow only once they are mounted; for ext there is nothing left to do here. */
  async function fill(id: string, record: StageRecord, loop: LoopDevice, stagingPath: string): Promise<void> {
    const deviceBytes = await blockDeviceSizeBytes(loop.device);
    if (loop.isReadOnly || record.filledBytes === deviceBytes) return;
    await growFileSystem({
      device: loop.device,
      fsType: record.fileSystem.fsType,
      mountPoint: await canonicalMountPoint(stagingPath),
    });
    await stageRecords.save(id, { ...record, filledBytes: deviceBytes });
  }

  async function remember(id: string, before: StageRecord | undefined, record: StageRecord): Promise<void> {
    const isSame =
      before?.stagingPath === record.stagingPath && String(before.lostMounts ?? []) === String(record.lostMounts);
    if (!isSame) await stageRecords.save(id, record);
  }
}

function chosenFsType(volume: Volume, access: Access & { kind: 'mount' }): string {
  if (access.fsType !== '' && volume.fsType !== '' && access.fsType !== volume.fsType) {
    throw rpcError(
      'InvalidArgument',
      `volume ${volume.id} was made for ${volume.fsType}, and fs_type asks for ${access.fsType}`,
    );
  }
  return volume.fsType || access.fsType || 'ext4';
}

function wantsReadOnly(loop: LoopDevice, access: Access): boolean {
  return loop.isReadOnly || isReadOnlyAccess(access);
}

/** @throws RpcError AlreadyExists when the volume is staged there in another way, FailedPrecondition when something else is there */
async function isStaged(loop: LoopDevice, stagingPath: string, fsType: string, isReadOnly: boolean): Promise<boolean> {
  const entry = await findMount(stagingPath);
  if (entry === undefined) return false;
  if (!isFileSystemOn(entry, loop.device)) {
    if (!isLoopMount(entry)) throw notOurs(stagingPath, entry);
    // Left from an earlier life of this path, kubelet never came back for it (kubernetes#92299).
    await unmountAll(stagingPath);
    return false;
  }
  if (entry.fsType === fsType && isReadOnlyMount(entry) === isReadOnly) return true;
  const is = `${entry.fsType}, ${isReadOnlyMount(entry) ? 'read-only' : 'writable'}`;
  throw rpcError('AlreadyExists', `the volume is staged at ${stagingPath} as ${is}: unstage it first`);
}
