// The sidecars of either maker as processes beside one driver.
import { join } from 'node:path';
import { referenceProgram } from '../reference/build.ts';
import { bundleOf } from '../rig/bundles.ts';
import type { Cluster, Maker, Program, SidecarName } from '../rig/contract.ts';
import { startProgram } from '../rig/program.ts';

export const sidecarNames: readonly SidecarName[] = ['provisioner', 'attacher', 'resizer'];
export const sidecarNamespace = 'holdfast-system';
export const leaseLabels = { team: 'storage' };

// What both makers take. Short pauses, so that what fails first and succeeds later does so soon.
const commonFlags = [
  '--v=5',
  '--leader-election',
  `--leader-election-namespace=${sidecarNamespace}`,
  `--leader-election-labels=${Object.entries(leaseLabels)
    .map(([key, value]) => `${key}:${value}`)
    .join(',')}`,
  '--leader-election-lease-duration=6s',
  '--leader-election-renew-deadline=4s',
  '--leader-election-retry-period=1s',
  '--retry-interval-start=200ms',
  '--retry-interval-max=2s',
  '--kube-api-qps=500',
  '--kube-api-burst=500',
  '--timeout=5s',
];
const ownFlags: Readonly<Record<SidecarName, readonly string[]>> = {
  provisioner: ['--extra-create-metadata', '--default-fstype=ext4', '--immediate-topology', '--worker-threads=10'],
  attacher: ['--default-fstype=ext4', '--worker-threads=10'],
  resizer: ['--workers=10'],
};

/** Accounts for the sidecars, each with every right: which rights they need is not what is compared here. */
export async function applyAccounts(cluster: Cluster): Promise<void> {
  const bindings = sidecarNames.map(
    (name) => `
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: csi-${name}, namespace: ${sidecarNamespace}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: swap-csi-${name}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: csi-${name}, namespace: ${sidecarNamespace}}]`,
  );
  await cluster.apply(`{apiVersion: v1, kind: Namespace, metadata: {name: ${sidecarNamespace}}}${bindings.join('')}\n`);
}

export interface SidecarPlace {
  readonly cluster: Cluster;
  readonly driverSocket: string;
  readonly folder: string;
}

export async function startSidecar(
  name: SidecarName,
  maker: Maker,
  { cluster, driverSocket, folder }: SidecarPlace,
): Promise<Program> {
  const kubeconfig = await cluster.serviceAccountKubeconfig(sidecarNamespace, `csi-${name}`);
  const program = `csi-${name}`;
  const label = `${program} (${maker})`;
  const flags = [`--csi-address=${driverSocket}`, `--kubeconfig=${kubeconfig}`, ...commonFlags, ...ownFlags[name]];
  const isOurs = maker === 'ours';
  return await startProgram({
    label,
    file: isOurs ? process.execPath : referenceProgram(program),
    args: isOurs ? [bundleOf(`external-${name}`, program), ...flags] : flags,
    logFile: join(folder, `${program}-${maker}.log`),
    hostName: `${name}-${maker}`,
  });
}
