import { collectDefaultMetrics, Registry } from 'prom-client';

/** A registry that already holds the process's own metrics, process_start_time_seconds among them. */
export function createMetricsRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
