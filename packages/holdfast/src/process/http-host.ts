import type { HttpReply, HttpRequest, Route, ServeHttp } from '@holdfast/sidecar';

/** One HTTP server for what several roles would serve each on its own. */
export interface HttpHost {
  /** By path, as of now: roles come one by one. */
  readonly routes: Readonly<Record<string, Route>>;
  serveFor(role: string): ServeHttp;
}

/**
 * Metrics are of one registry, so whoever serves them serves all. A health check fails when one role's fails, and says whose.
 * Of any other path the answers of all who have one stand one below the other. PATH/ROLE is that of one role alone.
 */
export function createHttpHost(metricsPath: string): HttpHost {
  const routes: Record<string, Route> = {};
  const byPath = new Map<string, Map<string, Route>>();

  function publish(path: string): void {
    const its = byPath.get(path) ?? new Map<string, Route>();
    const [first] = its.values();
    if (first === undefined) delete routes[path];
    else
      routes[path] =
        path === metricsPath
          ? first
          : (request) => ask(its, request).then(path.startsWith('/healthz') ? firstFailure : joined);
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

type Answer = readonly [role: string, reply: HttpReply];

function ask(routes: ReadonlyMap<string, Route>, request: HttpRequest): Promise<Answer[]> {
  return Promise.all([...routes].map(async ([role, route]): Promise<Answer> => [role, await route(request)]));
}

function firstFailure(answers: readonly Answer[]): HttpReply {
  const [role, reply] = answers.find(([, { status }]) => status >= 400) ?? [];
  return reply === undefined ? { status: 200, body: 'ok' } : { ...reply, body: `${role}: ${reply.body}` };
}

/** Who has nothing to say keeps silent, unless nobody has. */
function joined(answers: readonly Answer[]): HttpReply {
  const good = answers.filter(([, { status }]) => status < 400);
  const [, first] = good[0] ?? answers[0] ?? [];
  const shown = good.length === 0 ? answers : good;
  return { status: 404, ...first, body: shown.map(([role, { body }]) => `${role}: ${body}`).join('\n') };
}
