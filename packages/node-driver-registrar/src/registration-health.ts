import { lstat } from 'node:fs/promises';
import { errorMessage, type Logger } from '@holdfast/core';
import { RegistrationService } from '@holdfast/csi-spec';
import { dialUnix } from '@holdfast/rpc';
import type { Health } from '@holdfast/sidecar';

export interface HealthDeps {
  readonly path: string;
  readonly driverName: string;
  readonly timeoutMs: number;
  readonly log: Logger;
}

/** Asks its own socket what kubelet would ask, and so notices a socket that is gone, or that another program serves. */
export async function checkRegistration(deps: HealthDeps, signal: AbortSignal): Promise<Health> {
  const { path, driverName } = deps;
  try {
    await lstat(path);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return isMissing
      ? unhealthy(404, `registration socket ${path} does not exist`)
      : unhealthy(500, `cannot look at the registration socket: ${errorMessage(error)}`);
  }
  try {
    const name = await askName(deps, signal);
    if (name === driverName) return { isHealthy: true, message: 'ok' };
    return unhealthy(500, `registration socket ${path} answers for driver ${JSON.stringify(name)}, not ${driverName}`);
  } catch (error) {
    return unhealthy(500, `registration socket ${path} does not answer: ${errorMessage(error)}`);
  }
}

async function askName({ path, timeoutMs, log }: HealthDeps, signal: AbortSignal): Promise<string> {
  const connection = await dialUnix({ address: path, timeoutMs, log, signal });
  try {
    return (await connection.client(RegistrationService).getInfo({}, { timeoutMs, signal })).name;
  } finally {
    connection.close();
  }
}

function unhealthy(status: number, message: string): Health {
  return { isHealthy: false, status, message };
}
