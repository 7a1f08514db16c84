import { Counter, Gauge, type Registry } from 'prom-client';

export interface ElectionMetrics {
  setLeading(leaseName: string, isLeading: boolean): void;
  /** A renewal that needed more than the one PUT. */
  slowPath(leaseName: string): void;
}

const perRegistry = new WeakMap<Registry, ElectionMetrics>();

/** The leader_election_* metrics under client-go's names. One set per registry. */
export function createElectionMetrics(registry: Registry): ElectionMetrics {
  const existing = perRegistry.get(registry);
  if (existing) return existing;
  const shared = { labelNames: ['name'] as const, registers: [registry] };
  const status = new Gauge({
    ...shared,
    name: 'leader_election_master_status',
    help: 'Whether this process holds the lease: 1 for leader, 0 for standby',
  });
  const slowPaths = new Counter({
    ...shared,
    name: 'leader_election_slowpath_total',
    help: 'Renewals that had to read the lease first',
  });
  const metrics: ElectionMetrics = {
    setLeading: (name, isLeading) => status.set({ name }, isLeading ? 1 : 0),
    slowPath: (name) => slowPaths.inc({ name }),
  };
  perRegistry.set(registry, metrics);
  return metrics;
}
