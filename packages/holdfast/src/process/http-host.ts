import type { HttpReply, Route, ServeHttp } from '@holdfast/sidecar';

/** One HTTP server for what several roles would serve each on its own. */
export interface HttpHost {
  /** By path, as of now: roles come one by one. */
  readonly routes: Readonly<Record<string, Route>>;
  serveFor(role: string): ServeHttp;
}

/**
 * Metrics are of one registry, so whoever serves them serves all. Any other path is a health check: it fails when one role's
 * fails, and says whose; PATH/ROLE is that of one role alone.
 */
export function createHttpHost(metricsPath: string): HttpHost {
  const routes: Record<string, Route> = {};
  const byPath = new Map<string, Map<string, Route>>();

  function publish(path: string): void {
    const its = byPath.get(path) ?? new Map<string, Route>();
    const [first] = its.values();
    if (first === undefined) delete routes[path];
    else routes[path] = path === metricsPath ? first : (request) => firstFailure(its, request);
  }

  return {
    routes,
    serveFor: (role) => (deps) => {
      const served = Object.entries(deps.routes);
      for (const [path, route] of served) {
        byPath.set(path, (byPath.get(path) ?? new Map<string, Route>()).set(role, route));
        if (path !== metricsPath) routes[`${path}/${role}`] = route;
        publish(path);
      }
      const stop = (): Promise<void> => {
        for (const [path] of served) {
          byPath.get(path)?.delete(role);
          delete routes[`${path}/${role}`];
          publish(path);
        }
        return Promise.resolve();
      };
      return Promise.resolve({ port: 0, stop });
    },
  };
}

async function firstFailure(routes: ReadonlyMap<string, Route>, request: Parameters<Route>[0]): Promise<HttpReply> {
  const ask = async ([role, route]: [string, Route]): Promise<[string, HttpReply]> => [role, await route(request)];
  const replies = await Promise.all([...routes].map(ask));
  const failed = replies.find(([, { status }]) => status >= 400);
  if (failed === undefined) return { status: 200, body: 'ok' };
  const [role, reply] = failed;
  return { ...reply, body: `${role}: ${reply.body}` };
}
