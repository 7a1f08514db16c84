export { createElectionMetrics, type ElectionMetrics } from './election-metrics.ts';
export {
  createEventRecorder,
  type EventRecorder,
  type EventRecorderDeps,
  type ObjectReferenceLike,
} from './event-recorder.ts';
export type { Explainer, ExplainTopic, Explanation, Verdict } from './explainer.ts';
export { type Fence, FenceError, openFence } from './fence.ts';
export { fencedCalls } from './fenced-calls.ts';
export { fencedClient } from './fenced-client.ts';
export type { IndexFunctions } from './indexes.ts';
export type { KeyReport, KeyState } from './key-report.ts';
export { createLanes, type KeyOrder, type LanesDeps } from './lanes.ts';
export {
  createLeaderElector,
  type LeaderElectionDeps,
  type LeaderElector,
  type LeaderHealth,
} from './leader-election.ts';
export { type LeaseNotes, MAX_ANNOTATION_BYTES } from './lease-notes.ts';
export { sanitizeLeaseName } from './lease-record.ts';
export { type KeptMetadata, pick, projectHead } from './projection.ts';
export { createQueueMetrics, type QueueMetrics, type QueueObserver, type QueueProbe } from './queue-metrics.ts';
export { readLive } from './read-live.ts';
export { readSecret, SecretError, type SecretReadOptions } from './read-secret.ts';
export { createReflector, type Reflector, type ReflectorDeps, type ReflectorState } from './reflector.ts';
export { groupReflectors, type ReflectorGroup } from './reflector-group.ts';
export { type ControllerDeps, type Outcome, runController } from './run-controller.ts';
export { type PeriodicWork, runPeriodically } from './run-periodically.ts';
export { type CreateReflector, createSharedReflectors } from './shared-reflectors.ts';
export { createStandaloneNotes, type StandaloneNotes } from './standalone-notes.ts';
export { createStore, type Store, type StoreChange, type StoreOptions, type StoreWriter } from './store.ts';
export { tellIfSlow } from './tell-if-slow.ts';
export { createWorkQueue, type WorkQueue, type WorkQueueDeps } from './work-queue.ts';
