import type { Registry } from 'prom-client';
import type { Route } from './http-server.ts';

export function metricsRoute(registry: Registry): Route {
  return async () => ({ status: 200, body: await registry.metrics(), contentType: registry.contentType });
}

export interface Health {
  readonly isHealthy: boolean;
  /** Shown when not healthy. */
  readonly message: string;
  /** HTTP status when not healthy; 500 when not given. */
  readonly status?: number;
}

/** 200 `ok`, or the status and message of what is wrong. */
export function healthRoute(check: (signal: AbortSignal) => Promise<Health>): Route {
  return async ({ signal }) => {
    const health = await check(signal);
    return health.isHealthy ? { status: 200, body: 'ok' } : { status: health.status ?? 500, body: health.message };
  };
}
