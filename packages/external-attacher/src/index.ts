export { type Attacher, type AttacherDeps, createAttacher } from './controller.ts';
export { type CsiCalls, createCsiCalls } from './csi-calls.ts';
export { type AttachmentStep, type AttachmentView, decideAttachment } from './decide.ts';
export { decideVolume, type VolumeStep, type VolumeView } from './decide-volume.ts';
export { type DriverTraits, driverTraits } from './driver-traits.ts';
export { attacherFlags } from './flags.ts';
export { attacherRole, main } from './main.ts';
export { type Caches, createCaches, type Stores } from './stores.ts';
