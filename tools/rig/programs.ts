// The programs of a rig and their command lines: ours from their bundles, upstream's from the reference build.
import { join } from 'node:path';
import { referenceProgram } from '../reference/build.ts';
import { bundleOf } from './bundles.ts';
import type { Backend, Maker, NodeSpec, SidecarName, SidecarOptions } from './contract.ts';
import { nodePoolPrefix } from './left-behind.ts';
import type { ProgramSpec } from './program.ts';

export const systemNamespace = 'holdfast-system';

/** Where a rig keeps its things; all of it below one folder. */
export interface Places {
  readonly folder: string;
  readonly backend: Backend;
  readonly adminKubeconfig: string;
  readonly maxVolumesPerNode: number;
  readonly isFronted: boolean;
  readonly isPerNode: boolean;
}

export function driverNameOf(backend: Backend): string {
  return `${backend}.csi.holdfast`;
}

export function programOfSidecar(name: SidecarName): string {
  return `csi-${name}`;
}

/** The account whose rules a sidecar runs under. Upstream's has our rules and those of upstream-rbac.yaml. */
export function accountOf(name: SidecarName, maker: Maker): string {
  return maker === 'ours' ? programOfSidecar(name) : `upstream-${programOfSidecar(name)}`;
}

export function controllerSocket({ folder }: Places): string {
  return join(folder, 'controller', 'csi.sock');
}

export function kubeletRoot({ folder }: Places, node: string): string {
  return join(folder, 'nodes', node);
}

/** Where sidecars find the controller's driver. */
export function frontSocket({ folder }: Places): string {
  return join(folder, 'front', 'csi.sock');
}

function nodeSocket(places: Places, node: string): string {
  return join(kubeletRoot(places, node), 'plugins', driverNameOf(places.backend), 'csi.sock');
}

function nodePool(node: string): string {
  return `${nodePoolPrefix}${node}`;
}

function node24(places: Places, label: string, bundle: string, args: readonly string[]): ProgramSpec {
  return {
    label,
    file: process.execPath,
    args: [bundle, ...args],
    logFile: logFile(places, label),
    env: { NODE_COMPILE_CACHE: join(places.folder, 'compile-cache') },
  };
}

function logFile({ folder }: Places, label: string): string {
  return join(folder, 'logs', `${label.replaceAll(/[ /]/g, '-')}.log`);
}

function driverArgs(places: Places, pool: string): string[] {
  const { backend, folder, maxVolumesPerNode } = places;
  return [
    `--backend=${backend}`,
    `--pool-dir=${join(folder, pool)}`,
    `--max-volumes-per-node=${maxVolumesPerNode}`,
    '--v=5',
  ];
}

export function controllerDriver(places: Places): ProgramSpec {
  return node24(places, 'controller driver', bundleOf('driver', 'holdfast-driver'), [
    '--role=controller',
    '--node-id=controller',
    `--endpoint=unix://${controllerSocket(places)}`,
    ...driverArgs(places, 'pool'),
  ]);
}

export function nodeDriver(places: Places, { name, zone }: NodeSpec): ProgramSpec {
  return node24(places, `${name} driver`, bundleOf('driver', 'holdfast-driver'), [
    places.isPerNode ? '--role=all' : '--role=node',
    `--node-id=${name}`,
    ...(zone === undefined ? [] : [`--zone=${zone}`]),
    `--endpoint=unix://${nodeSocket(places, name)}`,
    ...driverArgs(places, places.isPerNode ? nodePool(name) : 'pool'),
  ]);
}

/** Its pods outlive it, as a real kubelet's do. */
export function kubelet(places: Places, { name, labels = {} }: NodeSpec): ProgramSpec {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}:${value}`);
  return node24(places, `${name} kubelet`, bundleOf('sandbox', 'holdfast-sandbox'), [
    'kubelet',
    `--kubeconfig=${places.adminKubeconfig}`,
    `--node-name=${name}`,
    `--root-dir=${kubeletRoot(places, name)}`,
    // A cluster of the rig gives a node up after 6 s of silence.
    '--node-status-update-frequency=1s',
    ...(pairs.length === 0 ? [] : [`--node-labels=${pairs.join(',')}`]),
    '--v=4',
  ]);
}

export function registrar(places: Places, { name }: NodeSpec): ProgramSpec {
  const socket = nodeSocket(places, name);
  const bundle = bundleOf('node-driver-registrar', 'csi-node-driver-registrar');
  return node24(places, `${name} registrar`, bundle, [
    `--csi-address=${socket}`,
    `--kubelet-registration-path=${socket}`,
    `--plugin-registration-path=${join(kubeletRoot(places, name), 'plugins_registry')}`,
    '--v=5',
  ]);
}

export interface SidecarSpec extends Required<Pick<SidecarOptions, 'maker' | 'args' | 'env'>> {
  readonly name: SidecarName;
  readonly replica: string | undefined;
  readonly node: string | undefined;
  readonly kubeconfig: string;
  readonly leaderElection: boolean;
}

/** The same command line for either maker. */
export function sidecarArgs(places: Places, spec: SidecarSpec): string[] {
  return [
    `--csi-address=${driverSocketFor(places, spec.node)}`,
    `--kubeconfig=${spec.kubeconfig}`,
    '--v=5',
    // In a pod they would know it from their service account. The provisioner keeps notes on the lease without an election too.
    `--leader-election-namespace=${systemNamespace}`,
    ...(spec.leaderElection ? ['--leader-election'] : []),
    ...(spec.name === 'provisioner' ? ['--feature-gates=Topology=true'] : []),
    ...spec.args,
  ];
}

function driverSocketFor(places: Places, node: string | undefined): string {
  if (node !== undefined) return nodeSocket(places, node);
  return places.isFronted ? frontSocket(places) : controllerSocket(places);
}

export function sidecarLabel({ name, replica }: Pick<SidecarSpec, 'name' | 'replica'>): string {
  return replica === undefined ? name : `${name}/${replica}`;
}

export function sidecar(places: Places, spec: SidecarSpec): ProgramSpec {
  const program = programOfSidecar(spec.name);
  const label = sidecarLabel(spec);
  const args = sidecarArgs(places, spec);
  // A lease names its holder by host name: on one machine two replicas would take each other for themselves.
  const hostName = `${program}-${spec.replica ?? spec.maker}`;
  const own =
    spec.maker === 'ours'
      ? node24(places, label, bundleOf(`external-${spec.name}`, program), args)
      : { label, file: referenceProgram(program), args, logFile: logFile(places, label) };
  return { ...own, hostName, env: { ...own.env, ...spec.env } };
}
