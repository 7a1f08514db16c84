import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Clock, Logger } from '@holdfast/core';
import { silentLogger } from '@holdfast/core';
import { createKubeClient, type KubeClient, loadKubeConfig } from '@holdfast/kube';
import type { Interceptor, RequestLogEntry } from '../apiserver/interception.ts';
import { kubeconfigText } from '../apiserver/kubeconfig.ts';
import type { ApiServer } from '../apiserver/server.ts';
import { createApiServer } from '../apiserver/server.ts';
import type { LoopPeriods } from '../loops/periods.ts';
import { type AppliedObject, applyManifests } from './apply-manifests.ts';

export interface TestClusterOptions {
  /** Runs the loops of the cluster too: binding, protection, attach/detach, scheduling. Default: the API server alone. */
  readonly loops?: boolean;
  /** How long the loops wait before they give a node up. Default: as kube-controller-manager. */
  readonly periods?: Partial<LoopPeriods>;
  /** Serves TLS, which kubectl insists on before it sends a token. Default: plain HTTP. */
  readonly tls?: boolean;
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly bookmarkIntervalMs?: number;
  readonly historySize?: number;
}

export interface TestCluster {
  readonly url: string;
  /** For calls of the test itself; its user agent is `test`. */
  readonly client: KubeClient;
  /** A file to hand to `--kubeconfig`. */
  readonly kubeconfigPath: string;
  readonly server: ApiServer;
  /** Every answered request, oldest first. A watch is entered when it starts. Clear it with `requests.length = 0`. */
  readonly requests: RequestLogEntry[];
  /** Asks `interceptor` before each request, those added last first; returns its removal. */
  intercept(interceptor: Interceptor): () => void;
  /** A client of its own, told apart in `requests` by its user agent. Closed by `stop`. */
  createClient(userAgent: string): Promise<KubeClient>;
  /** Server-side applies an object or the documents of a YAML text; namespaced ones without a namespace go to `default`. */
  apply(manifests: string | object): Promise<AppliedObject[]>;
  /** Ends loops, clients and server, and removes the kubeconfig. */
  stop(): Promise<void>;
}

/** A cluster for a test: an API server on a free port of loopback and, when asked, its loops. */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const log = options.log ?? silentLogger;
  const token = randomUUID();
  const requests: RequestLogEntry[] = [];
  const interceptors: Interceptor[] = [];
  const { clock, bookmarkIntervalMs, historySize } = options;
  const server = await createApiServer({
    tokens: { [token]: { username: 'test-admin', groups: ['system:masters', 'system:authenticated'] } },
    log,
    tls: options.tls ?? false,
    ...(clock === undefined ? {} : { clock }),
    ...(bookmarkIntervalMs === undefined ? {} : { bookmarkIntervalMs }),
    ...(historySize === undefined ? {} : { historySize }),
    onReply: (entry) => requests.push(entry),
    async intercept(request) {
      for (const interceptor of [...interceptors].reverse()) {
        const intervention = await interceptor(request);
        if (intervention !== undefined) return intervention;
      }
      return undefined;
    },
  });
  const dir = await mkdtemp(path.join(tmpdir(), 'holdfast-cluster-'));
  const kubeconfigPath = path.join(dir, 'kubeconfig');
  await writeFile(kubeconfigPath, kubeconfigText({ url: server.url, ca: server.ca, token }), { mode: 0o600 });

  const clients: { close(): void }[] = [];
  const createClient = async (userAgent: string): Promise<KubeClient> => {
    const config = await loadKubeConfig({ kubeconfig: kubeconfigPath, env: {} });
    const client = createKubeClient({ config, userAgent, log });
    clients.push(client);
    return client;
  };
  const client = await createClient('test/0');
  const stopping = new AbortController();
  const loops =
    options.loops === true
      ? startLoops(await createClient('loops/0'), { log, periods: options.periods ?? {} }, stopping.signal)
      : undefined;

  return {
    url: server.url,
    client,
    kubeconfigPath,
    server,
    requests,
    intercept(interceptor) {
      interceptors.push(interceptor);
      return () => {
        const at = interceptors.indexOf(interceptor);
        if (at >= 0) interceptors.splice(at, 1);
      };
    },
    createClient,
    apply: (manifests) => applyManifests(client, manifests),
    async stop() {
      stopping.abort(new Error('the test cluster stops'));
      // Whatever still waits in an interceptor must not keep the loops from ending.
      interceptors.length = 0;
      await loops?.catch((error: unknown) => log.error('the loops failed', { error: String(error) }));
      for (const each of clients) each.close();
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function startLoops(
  client: KubeClient,
  options: { readonly log: Logger; readonly periods: Partial<LoopPeriods> },
  signal: AbortSignal,
): Promise<void> {
  // Imported on demand: most tests need the API server alone.
  const { runLoops } = await import('../loops/index.ts');
  await runLoops({ client, ...options, signal });
}
