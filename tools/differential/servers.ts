import { randomUUID } from 'node:crypto';
import { silentLogger } from '@holdfast/core';
import { loadKubeConfig } from '@holdfast/kube';
import { createApiServer } from '../../packages/sandbox/src/index.ts';
import { startKubernetesCluster } from '../rig/kubernetes-cluster.ts';
import { compactEtcd } from './etcd.ts';
import { connect, type Server } from './wire.ts';

// The watch cache remembers what etcd has forgotten, so one kind goes without: there, 410 can be met.
const withoutWatchCache = ['--watch-cache-sizes=volumeattributesclasses.storage.k8s.io#0'];

/** The two that are held side by side, without loops and controllers: nothing moves but what is asked for. */
export interface Servers {
  readonly sandbox: Server;
  readonly kubernetes: Server;
  stop(): Promise<void>;
}

// The rig shortens what a cluster counts in minutes; here the defaults are compared.
const upstreamDefaults = ['--default-not-ready-toleration-seconds=300', '--default-unreachable-toleration-seconds=300'];

export async function startServers(signal: AbortSignal): Promise<Servers> {
  const cluster = await startKubernetesCluster({
    signal,
    controllers: 'none',
    apiServerArgs: [...upstreamDefaults, ...withoutWatchCache],
  });
  try {
    const config = await loadKubeConfig({ kubeconfig: cluster.adminKubeconfig, env: {} });
    const { authorization = '', tls } = await config.credentials();
    const kubernetes = connect({
      name: 'kubernetes',
      url: cluster.url,
      ca: tls.ca,
      authorization,
      compact: () => compactEtcd(cluster.etcdSocket),
    });
    const token = randomUUID();
    const api = await createApiServer({
      tokens: { [token]: { username: 'admin', groups: ['system:masters', 'system:authenticated'] } },
      log: silentLogger,
    });
    const sandbox = connect({
      name: 'sandbox',
      url: api.url,
      ca: undefined,
      authorization: `Bearer ${token}`,
      compact: async () => api.compact(),
    });
    return {
      sandbox,
      kubernetes,
      async stop() {
        sandbox.close();
        kubernetes.close();
        await api.stop();
        await cluster.stop();
      },
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
