import { leases } from '@holdfast/kube';
import { type CrashRig, FIRST_HOST } from '@holdfast/sandbox/testing';

export { ifFound } from '@holdfast/sandbox/testing';

/** Long, so that nobody loses the lease because the machine is busy. */
export const electionFlags = [
  '--leader-election',
  '--leader-election-namespace=default',
  '--leader-election-lease-duration=90s',
  '--leader-election-renew-deadline=60s',
  '--leader-election-retry-period=500ms',
] as const;

/** A restart in the same pod, which has its lease still, and one elsewhere, which must wait until it has run out. */
export const elections = {
  successors: [FIRST_HOST, 'host-2'],
  /** What is left of the lease of one that was killed: a second, so that it is not waited for in full. */
  async beforeTakeOver({ cluster: { client } }: CrashRig): Promise<void> {
    for (const { metadata } of (await client.list(leases)).items) {
      await client.patch(leases, metadata, { kind: 'merge', body: { spec: { leaseDurationSeconds: 1 } } });
    }
  },
} as const;
