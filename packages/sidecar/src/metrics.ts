import { collectDefaultMetrics, Registry } from 'prom-client';

// prom-client looks at the event loop every 10 ms, which is a hundred wake-ups a second in a program that has nothing to do.
const eventLoopMonitoringPrecision = 1000;

/** A registry that already holds the process's own metrics, process_start_time_seconds among them. */
export function createMetricsRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision });
  return registry;
}
