import { leases, namespaces } from '@holdfast/kube';
import type { Cluster } from '../rig/contract.ts';
import { waitUntil } from '../rig/wait-until.ts';
import { sidecarNamespace } from './capture.ts';

/** The next round has scenarios of the same names: their namespaces must be gone, and the leases of other sidecars too. */
export async function untilFresh({ client }: Cluster, signal: AbortSignal): Promise<void> {
  const { items } = await client.list(leases, { namespace: sidecarNamespace });
  for (const { metadata } of items) await client.delete(leases, metadata);
  await waitUntil({
    what: 'the namespaces of the last round to go',
    look: async () => {
      const list = await client.list(namespaces, { signal });
      return list.items.some(({ metadata }) => metadata.deletionTimestamp !== undefined) ? undefined : true;
    },
    timeoutMs: 300_000,
    signal,
  });
}
