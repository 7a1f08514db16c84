export type { Interceptor, Intervention, RequestLogEntry, SeenRequest } from '../apiserver/interception.ts';
export {
  type ControllerRig,
  type ControllerRigOptions,
  createTestFence,
  ifFound,
  startControllerRig,
  type TestFence,
} from './controller-rig.ts';
export { createSweepWorker } from './crash/attempt.ts';
export {
  type CallGate,
  type CrashPhase,
  type CrashPoint,
  crashPhases,
  createCallGate,
  describePoint,
} from './crash/call-gate.ts';
export { type CrashRig, type CrashSubject, FIRST_HOST, type SubjectRun, startCrashRig } from './crash/crash-rig.ts';
export { createHistory, type History } from './crash/history.ts';
export {
  type CrashAttempt,
  type CrashScenario,
  describeAttempt,
  type SweepReport,
  type SweepWorker,
  sweepCrashPoints,
  type Violation,
} from './crash/sweep.ts';
export {
  type CallHook,
  type ScriptedCall,
  type ScriptedDriver,
  type ScriptedDriverOptions,
  type ScriptedVolume,
  startScriptedDriver,
} from './scripted-driver.ts';
export { startTestCluster, type TestCluster, type TestClusterOptions } from './test-cluster.ts';
