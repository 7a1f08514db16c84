export { type Caches, createCaches } from './caches.ts';
export { type AttacherDeps, runAttacher } from './controller.ts';
export { type CsiCalls, createCsiCalls } from './csi-calls.ts';
export {
  type AttachmentStep,
  type AttachmentView,
  decideAttachment,
  decideVolume,
  type VolumeStep,
} from './decide.ts';
export { type AttacherFlags, flags } from './flags.ts';
export { main } from './main.ts';
export { finalizerOf, leaseName, NODE_ID_ANNOTATION } from './names.ts';
export { type DriverTraits, traitsOf } from './traits.ts';
