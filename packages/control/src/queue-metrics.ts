import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What one queue reports. Durations are in ms; the metrics are in seconds. */
export interface QueueObserver {
  added(): void;
  retried(): void;
  started(waitedMs: number): void;
  finished(workedMs: number): void;
}

/** What a scrape asks of a queue. */
export interface QueueProbe {
  depth(): number;
  /** How long each key now in work has been so, in ms. */
  workingMs(): Iterable<number>;
}

export interface QueueMetrics {
  register(name: string, probe: QueueProbe): QueueObserver;
}

// client-go's ExponentialBuckets(10e-9, 10, 12).
const BUCKETS = Array.from({ length: 12 }, (_, power) => Number(`1e${power - 8}`));

const perRegistry = new WeakMap<Registry, QueueMetrics>();

/** The workqueue_* metrics under client-go's names. One set per registry; queues of one name are added up. */
export function createQueueMetrics(registry: Registry): QueueMetrics {
  const existing = perRegistry.get(registry);
  if (existing) return existing;

  const probes = new Map<string, QueueProbe[]>();
  const shared = { labelNames: ['name'] as const, registers: [registry] };

  function registerGauge(name: string, help: string, measure: (probes: readonly QueueProbe[]) => number): void {
    const gauge = new Gauge({
      ...shared,
      registers: [],
      name,
      help,
      collect() {
        for (const [queue, its] of probes) this.set({ name: queue }, measure(its));
      },
    });
    registry.registerMetric(gauge);
  }
  const working = (its: readonly QueueProbe[]) => its.flatMap((probe) => [...probe.workingMs()]);

  registerGauge('workqueue_depth', 'Current depth of workqueue', (its) =>
    its.reduce((sum, probe) => sum + probe.depth(), 0),
  );
  registerGauge(
    'workqueue_unfinished_work_seconds',
    'Seconds of work in progress that workqueue_work_duration_seconds has not seen yet. Large values point to stuck workers.',
    (its) => working(its).reduce((sum, ms) => sum + ms / 1_000, 0),
  );
  registerGauge(
    'workqueue_longest_running_processor_seconds',
    'How long the longest running worker has been on its key',
    (its) => working(its).reduce((longest, ms) => Math.max(longest, ms / 1_000), 0),
  );
  const adds = new Counter({ ...shared, name: 'workqueue_adds_total', help: 'Keys added to the workqueue' });
  const retries = new Counter({ ...shared, name: 'workqueue_retries_total', help: 'Keys added after a delay' });
  const waits = new Histogram({
    ...shared,
    name: 'workqueue_queue_duration_seconds',
    help: 'How long a key waits in the workqueue before it is worked on',
    buckets: BUCKETS,
  });
  const works = new Histogram({
    ...shared,
    name: 'workqueue_work_duration_seconds',
    help: 'How long a key of the workqueue is worked on',
    buckets: BUCKETS,
  });

  const metrics: QueueMetrics = {
    register(name, probe) {
      probes.set(name, [...(probes.get(name) ?? []), probe]);
      const labels = { name };
      adds.inc(labels, 0);
      retries.inc(labels, 0);
      return {
        added: () => adds.inc(labels),
        retried: () => retries.inc(labels),
        started: (waitedMs) => waits.observe(labels, waitedMs / 1_000),
        finished: (workedMs) => works.observe(labels, workedMs / 1_000),
      };
    },
  };
  perRegistry.set(registry, metrics);
  return metrics;
}
