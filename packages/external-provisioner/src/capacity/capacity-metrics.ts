import { Gauge, type Registry } from 'prom-client';

export interface CapacityCounts {
  /** How many objects there are to be. */
  goal(): number;
  /** How many of those there are. */
  current(): number;
  /** How many there are that are not to be. */
  obsolete(): number;
}

/** Upstream's gauges, counted when they are read. */
export function registerCapacityMetrics(registry: Registry, counts: CapacityCounts): void {
  const registers = [registry];
  const gauge = (name: string, help: string, count: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(count());
      },
    });
  gauge('csistoragecapacities_desired_goal', 'CSIStorageCapacity objects that are to be.', counts.goal);
  gauge('csistoragecapacities_desired_current', 'CSIStorageCapacity objects that are to be, and are.', counts.current);
  gauge('csistoragecapacities_obsolete', 'CSIStorageCapacity objects that are, and are not to be.', counts.obsolete);
}
