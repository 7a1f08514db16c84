export { createResizer, type Resizer, type ResizerDeps } from './controller.ts';
export { type CsiCalls, createCsiCalls, type ExpandResult } from './csi-calls.ts';
export { type ClaimMemory, decideClaim, type ResizeRules, type Seen, type Step } from './decide.ts';
export { resizerFlags } from './flags.ts';
export { main } from './main.ts';
export { type Caches, createCaches, type Stores } from './stores.ts';
