export { createElectionMetrics, type ElectionMetrics } from './election-metrics.ts';
export {
  createEventRecorder,
  type EventRecorder,
  type EventRecorderDeps,
  type ObjectReferenceLike,
} from './event-recorder.ts';
export { type Fence, FenceError, openFence } from './fence.ts';
export { fencedClient } from './fenced-client.ts';
export type { IndexFunctions } from './indexes.ts';
export {
  createLeaderElector,
  type LeaderElectionDeps,
  type LeaderElector,
  type LeaderHealth,
  runLeaderElection,
} from './leader-election.ts';
export { sanitizeLeaseName } from './lease-record.ts';
export { createQueueMetrics, type QueueMetrics, type QueueObserver, type QueueProbe } from './queue-metrics.ts';
export { createReflector, type Reflector, type ReflectorDeps, type ReflectorState } from './reflector.ts';
export { isNewerVersion } from './resource-version.ts';
export { type ControllerDeps, type Outcome, runController } from './run-controller.ts';
export { createStore, type Store, type StoreChange, type StoreOptions, type StoreWriter } from './store.ts';
export { createWorkQueue, type WorkQueue, type WorkQueueDeps } from './work-queue.ts';
