// Kinds that are not Kubernetes' own. The sandbox serves them by itself; a real API server is told of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNotFound, referenceGrants, volumeSnapshots } from '@holdfast/kube';
import type { Cluster } from './contract.ts';
import { waitUntil } from './wait-until.ts';

const folder = join(import.meta.dirname, 'custom-kinds');
const servedTimeoutMs = 180_000;

/** Snapshots and grants, once the server serves them. */
export async function addCustomKinds(cluster: Cluster, signal: AbortSignal): Promise<void> {
  if (cluster.kind === 'sandbox') return;
  for (const file of ['snapshots.yaml', 'reference-grants.yaml']) {
    await cluster.apply(readFileSync(join(folder, file), 'utf8'));
  }
  for (const resource of [volumeSnapshots, referenceGrants]) {
    await waitUntil({
      what: `the API server to serve ${resource.plural}`,
      look: async () => {
        try {
          await cluster.client.request('GET', `/apis/${resource.group}/${resource.version}/${resource.plural}`);
          return true;
        } catch (error) {
          if (isNotFound(error)) return undefined;
          throw error;
        }
      },
      timeoutMs: servedTimeoutMs,
      signal,
    });
  }
}
