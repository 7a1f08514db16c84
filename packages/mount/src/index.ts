export { isPublishedDevice, publishBlockDevice } from './block-publish.ts';
export { boundPublications, boundTargets, hasRootOf } from './bound-folder.ts';
export {
  CommandError,
  type CommandFailure,
  type CommandOptions,
  type CommandResult,
  runCommand,
} from './command.ts';
export { copyFolder, copySparseFile, reflinkFile, syncFileSystem } from './copy-file.ts';
export { blockDeviceNumber, isSameDevice, splitDeviceNumber } from './device-numbers.ts';
export { type FileExtent, fileExtents, parseExtent } from './file-extents.ts';
export { type FileLock, takeFileLock } from './file-lock.ts';
export {
  checkFileSystem,
  FileSystemDamagedError,
  type FileSystemType,
  type FormatOptions,
  fileSystemTypes,
  formatAgain,
  formatBlankDevice,
  growFileSystem,
  growUnmountedFileSystem,
  isFileSystemType,
  minimumSizeBytes,
  NotBlankError,
  OnlineGrowthRefusedError,
} from './file-systems.ts';
export { freezeFileSystem, thawFileSystem } from './freeze.ts';
export { giveToGroup } from './group-ownership.ts';
export { labelFileSystem, maxLabelLength, renewUuid } from './identity.ts';
export { IoCgroupError, type IoLimits, ioMaxLine, limitIo, requireIoCgroup } from './io-limits.ts';
export {
  type AttachOptions,
  attachLoopDevice,
  blockDeviceSizeBytes,
  detachLoopDevice,
  findLoopDevice,
  isBusy,
  LoopDeviceError,
  listLoopDevices,
  NoLoopDeviceError,
  refreshLoopDevice,
  setReadAhead,
} from './loop-devices.ts';
export { type LoopDevice, parseLosetup } from './losetup-output.ts';
export { type BindOptions, bindMount, type MountOptions, mountFileSystem, SymbolicLinkError } from './mount.ts';
export {
  type DeviceNumber,
  isReadOnlyMount,
  type MountEntry,
  MountInfoError,
  mountsAt,
  mountsUnder,
  parseMountInfo,
  readMountInfo,
  topMountAt,
} from './mount-info.ts';
export { canonicalMountPoint, findMount, isMountPoint } from './mount-point.ts';
export { type DeviceContent, interpretBlkid, probeDevice } from './probe.ts';
export { canGrowMountedExt } from './process-capabilities.ts';
export { SilentMountError } from './resolve-folder.ts';
export {
  forgetRemovedSubvolumes,
  isOnBtrfs,
  limitSubvolume,
  makeSubvolume,
  parseQgroup,
  type SubvolumeUsage,
  subvolumeUsage,
} from './subvolumes.ts';
export { cleanupMountPoint, MountBusyError, type UnmountOptions, unmountAll } from './unmount.ts';
export { type FileSystemUsage, fileSystemUsage, parseUsage } from './usage.ts';
export { findWritability, type Writability } from './writable.ts';
