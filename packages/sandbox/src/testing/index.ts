export type { Interceptor, Intervention, RequestLogEntry, SeenRequest } from '../apiserver/interception.ts';
export {
  type ControllerRig,
  type ControllerRigOptions,
  createTestFence,
  ifFound,
  startControllerRig,
  type TestFence,
} from './controller-rig.ts';
export {
  type ScriptedCall,
  type ScriptedDriver,
  type ScriptedDriverOptions,
  type ScriptedVolume,
  startScriptedDriver,
} from './scripted-driver.ts';
export { startTestCluster, type TestCluster, type TestClusterOptions } from './test-cluster.ts';
