export type {
  Access,
  AccessMode,
  Attachment,
  Backend,
  BlockRange,
  CreateGroupSnapshotRequest,
  CreateRequest,
  CreateSnapshotRequest,
  Figures,
  GroupSnapshot,
  HealthProblem,
  InlineRequest,
  InlineVolumes,
  NodeLoad,
  Publication,
  PublishRequest,
  Segments,
  SizeRules,
  Snapshot,
  SourceId,
  StageRequest,
  StorageProblem,
  StringMap,
  Volume,
  VolumeStats,
} from './backend.ts';
export type { Role } from './capabilities.ts';
export { isReadOnlyAccess } from './check-access.ts';
export { plainVolume } from './plain-volume.ts';
export { type DriverDeps, DriverSetupError, serveDriver } from './serve-driver.ts';
export { volumeIdFor } from './volume-id.ts';
