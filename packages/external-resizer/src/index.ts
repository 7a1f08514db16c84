export { createResizer, type Resizer, type ResizerDeps } from './controller.ts';
export { type CsiCalls, createCsiCalls, type ExpandResult } from './csi-calls.ts';
export {
  type ClaimFacts,
  type ClaimStep,
  type ClaimView,
  decideClaim,
  type ResizeContext,
  type ResizeRules,
} from './decide.ts';
export { type DriverTraits, driverTraits } from './driver-traits.ts';
export { resizerFlags } from './flags.ts';
export { main, resizerRole } from './main.ts';
export { type Caches, createCaches, type Stores } from './stores.ts';
