import { referenceProgram } from '../reference/build.ts';
import { bundleOf as builtBundleOf } from '../rig/bundles.ts';
import type { Maker, Program, SidecarName } from '../rig/contract.ts';
import { startProgram } from '../rig/program.ts';
import type { Load } from './arguments.ts';

export const sidecarNames: readonly SidecarName[] = ['provisioner', 'attacher', 'resizer'];

const bundles = {
  driver: ['driver', 'holdfast-driver'],
  provisioner: ['external-provisioner', 'csi-provisioner'],
  attacher: ['external-attacher', 'csi-attacher'],
  resizer: ['external-resizer', 'csi-resizer'],
  livenessprobe: ['livenessprobe', 'livenessprobe'],
  registrar: ['node-driver-registrar', 'csi-node-driver-registrar'],
} as const;

export function bundleOf(program: keyof typeof bundles): string {
  const [folder, name] = bundles[program];
  return builtBundleOf(folder, name);
}

/** csi-resizer has another name for the flag. */
const workersFlag = { provisioner: 'worker-threads', attacher: 'worker-threads', resizer: 'workers' } as const;

/** What is added for a load: alike for both makers. */
export function flagsFor(name: SidecarName, profile: Load['profile']): readonly string[] {
  if (profile === 'default') return [];
  return ['--kube-api-qps=2000', '--kube-api-burst=4000', `--${workersFlag[name]}=100`];
}

export interface SidecarSpec {
  readonly name: SidecarName;
  readonly maker: Maker;
  readonly profile: Load['profile'];
  readonly csiAddress: string;
  readonly kubeconfig: string;
  readonly folder: string;
  readonly nodeFlags: readonly string[];
  readonly profileFolder: string | undefined;
  /** For both makers. */
  readonly extraFlags?: readonly string[];
}

export async function startSidecar(spec: SidecarSpec): Promise<Program> {
  const { name, maker, profile, csiAddress, kubeconfig, folder, nodeFlags, profileFolder, extraFlags = [] } = spec;
  const flags = [
    `--csi-address=${csiAddress}`,
    `--kubeconfig=${kubeconfig}`,
    ...flagsFor(name, profile),
    ...extraFlags,
  ];
  const profiling = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
  const command =
    maker === 'ours'
      ? { file: process.execPath, args: [...nodeFlags, ...profiling, bundleOf(name), ...flags] }
      : { file: referenceProgram(`csi-${name}`), args: flags };
  return startProgram({ label: `csi-${name} (${maker})`, ...command, logFile: `${folder}/csi-${name}.log` });
}
