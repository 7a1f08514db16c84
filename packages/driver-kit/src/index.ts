export type {
  Access,
  AccessMode,
  Attachment,
  Backend,
  CreateRequest,
  Figures,
  NodeLoad,
  Publication,
  PublishRequest,
  Segments,
  SizeRules,
  StageRequest,
  StringMap,
  Volume,
  VolumeStats,
} from './backend.ts';
export type { Role } from './capabilities.ts';
export { isReadOnlyAccess } from './check-access.ts';
export { type DriverDeps, DriverSetupError, serveDriver } from './serve-driver.ts';
export { volumeIdFor } from './volume-id.ts';
