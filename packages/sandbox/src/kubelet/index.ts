export type { ContainerRuntime, ContainerSpec, ContainerState } from './pods/runtime.ts';
export { type KubeletOptions, runKubelet } from './run.ts';
