import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodes } from '@holdfast/kube';
import { stringify } from 'yaml';
import { referenceProgram } from '../reference/build.ts';
import type { Cluster, Program } from '../rig/contract.ts';
import { lastLines, startProgram } from '../rig/program.ts';
import { waitUntil } from '../rig/wait-until.ts';
import { cgroupName } from './cgroups.ts';

export const nodeName = 'node-1';
/** The node's own address in its network, where the API server finds kubelet. */
export const nodeAddress = '10.0.1.1';

/** @throws Error with the end of its log when the node does not become ready */
export async function startKubelet(deps: {
  readonly scratch: string;
  readonly cluster: Cluster;
  readonly runtimeSocket: string;
  readonly signal: AbortSignal;
}): Promise<Program> {
  const { scratch, cluster, runtimeSocket, signal } = deps;
  const config = join(scratch, 'kubelet.yaml');
  writeFileSync(config, stringify(configuration(scratch, runtimeSocket)));
  mkdirSync(join(scratch, 'manifests'), { recursive: true });
  const program = await startProgram({
    label: 'kubelet',
    file: referenceProgram('kubelet'),
    args: [
      `--config=${config}`,
      `--kubeconfig=${cluster.adminKubeconfig}`,
      `--root-dir=${kubeletFolder(scratch)}`,
      `--hostname-override=${nodeName}`,
      `--node-ip=${nodeAddress}`,
      '--v=2',
    ],
    logFile: join(scratch, 'logs', 'kubelet.log'),
  });
  await waitUntil({
    what: `node ${nodeName} to be ready; the end of kubelet's log:\n${lastLines(program.log(), 5)}`,
    look: async () => {
      if (!program.isRunning()) throw new Error(`kubelet ended:\n${lastLines(program.log(), 30)}`);
      return isNodeReady(cluster);
    },
    timeoutMs: 120_000,
    signal,
  });
  return program;
}

export const kubeletFolder = (scratch: string): string => join(scratch, 'kubelet');

async function isNodeReady({ client }: Cluster): Promise<true | undefined> {
  const { items } = await client.list(nodes, {});
  const ready = items[0]?.status?.conditions?.find(({ type }) => type === 'Ready');
  const isTainted = (items[0]?.spec?.taints ?? []).some(({ key }) => key === 'node.kubernetes.io/not-ready');
  return ready?.status === 'True' && !isTainted ? true : undefined;
}

function configuration(scratch: string, runtimeSocket: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: nodeAddress,
    containerRuntimeEndpoint: `unix://${runtimeSocket}`,
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroupName}`,
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    localStorageCapacityIsolation: false,
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '10Mi', 'nodefs.available': '1%', 'nodefs.inodesFree': '1%' },
    resolvConf: '',
    podLogsDir: '/var/log/pods',
    staticPodPath: join(scratch, 'manifests'),
    // By default a volume is mounted only after the node's next report, ten seconds away, and grown at the pod's next sync.
    nodeStatusUpdateFrequency: '1s',
    syncFrequency: '5s',
    shutdownGracePeriod: '0s',
  };
}
