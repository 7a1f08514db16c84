import { untilAborted } from '@holdfast/core';
import { createOperationMetrics } from '@holdfast/rpc';
import {
  defineRole,
  type FlagValues,
  healthRoute,
  metricsRoute,
  type ProgramContext,
  readDriverName,
  startHttpServer,
  unprepared,
} from '@holdfast/sidecar';
import { livenessFlags } from './flags.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { probeDriver } from './probe-driver.ts';

export const livenessRole = defineRole({
  name: 'livenessprobe',
  flags: livenessFlags,
  syntax: 'go',
  prepare: (values, context) => unprepared((signal) => serve(values, { ...context, signal })),
});

export const { main } = livenessRole;

async function serve(
  values: FlagValues<typeof livenessFlags.table>,
  { log, registry, signal, serveHttp = startHttpServer }: ProgramContext,
): Promise<void> {
  const { csiAddress: address, probeTimeoutMs: timeoutMs, httpEndpoint, metricsAddress, metricsPath } = values;
  // No limit on either: a driver that is slow to start must not make this container crash beside it (PR #240).
  const wait = { connectTimeoutMs: 0, timeoutMs: Number.POSITIVE_INFINITY };
  const driverName = await readDriverName({ address, log, signal, ...wait });

  const metrics = createOperationMetrics({ registry, subsystem: 'csi_sidecar', driverName });
  const check = oneAtATime(() => probeDriver({ address, driverName, timeoutMs, log, metrics }, signal));
  const healthz = healthRoute(check);
  const exposition = { [metricsPath]: metricsRoute(registry) };
  if (metricsAddress !== '') await serveHttp({ address: metricsAddress, routes: exposition, log, signal });
  await serveHttp({
    address: httpEndpoint || `0.0.0.0:${values.healthPort}`,
    routes: httpEndpoint === '' ? { '/healthz': healthz } : { ...exposition, '/healthz': healthz },
    log,
    signal,
  });
  await untilAborted(signal);
}
