import { join } from 'node:path';
import { createKubeClient, type KubeClient, loadKubeConfig } from '@holdfast/kube';
import { createApplier } from './apply.ts';
import { type AuditedRequests, createAuditedRequests } from './audited-requests.ts';
import type { Cluster } from './contract.ts';
import { type ClusterAccess, writeKubeconfig } from './kubeconfig-file.ts';
import { serviceAccountToken } from './service-account.ts';

export type ClusterOverHttp = Pick<
  Cluster,
  'client' | 'serviceAccountKubeconfig' | 'apply' | 'requests' | 'forgetRequests'
> & { close(): void };

/** What a cluster offers by its API and its audit log alone, whichever cluster it is. */
export async function openCluster(deps: {
  readonly folder: string;
  readonly access: ClusterAccess;
  readonly adminKubeconfig: string;
  readonly auditLog: string;
  readonly signal: AbortSignal;
}): Promise<ClusterOverHttp> {
  const { folder, access, adminKubeconfig, auditLog, signal } = deps;
  const config = await loadKubeConfig({ kubeconfig: adminKubeconfig, env: {} });
  const client: KubeClient & { close(): void } = createKubeClient({ config, userAgent: 'rig/0.1.0' });
  const audited: AuditedRequests = createAuditedRequests({ path: auditLog, client, signal });
  return {
    client,
    apply: createApplier(client, 'rig'),
    async serviceAccountKubeconfig(namespace, name) {
      const token = await serviceAccountToken(client, namespace, name);
      const path = join(folder, `${namespace}-${name}.kubeconfig`);
      writeKubeconfig(path, access, { name, token });
      return path;
    },
    requests: audited.read,
    forgetRequests: audited.forget,
    close: () => client.close(),
  };
}
