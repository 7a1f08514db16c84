import { errorMessage, type Logger } from '@holdfast/core';
import { IdentityService } from '@holdfast/csi-spec';
import { dialUnix, type OperationMetrics } from '@holdfast/rpc';
import type { Health } from '@holdfast/sidecar';

export interface ProbeDeps {
  readonly address: string;
  readonly driverName: string;
  /** Of the whole check, connecting included. */
  readonly timeoutMs: number;
  readonly log: Logger;
  readonly metrics: OperationMetrics;
}

/**
 * Asks the driver whether it is alive, over a connection of its own: one that is kept would not notice that the socket
 * was removed (kubernetes-csi/livenessprobe#68).
 */
export async function probeDriver(deps: ProbeDeps, caller: AbortSignal): Promise<Health> {
  const { driverName, log } = deps;
  try {
    const { ready } = await probe(deps, caller);
    if (ready !== false) return { isHealthy: true, message: 'ok' };
    log.warn('Driver responded but is not ready', { driver: driverName });
    return { isHealthy: false, message: 'driver responded but is not ready' };
  } catch (error) {
    log.error('Health check failed', { driver: driverName, err: error });
    return { isHealthy: false, message: errorMessage(error) };
  }
}

async function probe(deps: ProbeDeps, signal: AbortSignal): Promise<{ ready: boolean | undefined }> {
  const { address, driverName, timeoutMs, log, metrics } = deps;
  const startedMs = performance.now();
  const connection = await dialUnix({ address, timeoutMs, log, metrics, signal });
  try {
    connection.setDriverName(driverName);
    const remainingMs = Math.max(1, timeoutMs - (performance.now() - startedMs));
    return await connection.client(IdentityService).probe({}, { timeoutMs: remainingMs, signal });
  } finally {
    connection.close();
  }
}
