import type { RequestOptions } from 'node:https';
import { KubeConfigError } from './config.ts';
import type { ClusterEntry, PluginEntry } from './kubeconfig-document.ts';

export interface PluginCredentials {
  readonly authorization?: string;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
}

/**
 * Credentials of an `exec` or `auth-provider` entry, by client-node, which keeps them until they expire. A 401 throws
 * the kept ones away.
 */
export function createPluginCredentials(deps: {
  where: string;
  cluster: ClusterEntry;
  plugin: PluginEntry;
}): (options?: { isRejected?: boolean }) => Promise<PluginCredentials> {
  const { where, cluster, plugin } = deps;
  let loaded: Promise<Loaded> | undefined;

  return async (options) => {
    if (loaded === undefined || options?.isRejected) loaded = load(cluster, plugin);
    const config = await loaded;
    const request: RequestOptions = { headers: {} };
    try {
      await config.applyToHTTPSOptions(request);
    } catch (error) {
      throw new KubeConfigError(`${where}: users "${plugin.userName}": ${describe(plugin)} failed: ${remedy(error)}`);
    }
    return pick(request);
  };
}

type Loaded = { applyToHTTPSOptions(options: RequestOptions): Promise<void> };

async function load(cluster: ClusterEntry, plugin: PluginEntry): Promise<Loaded> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  // skipTLSVerify concerns only the agent that client-node builds along the way, which we do not use.
  config.loadFromClusterAndUser(
    { name: cluster.name, server: cluster.server, skipTLSVerify: true },
    {
      name: plugin.userName,
      ...(plugin.exec === undefined ? {} : { exec: plugin.exec }),
      ...(plugin.authProvider === undefined ? {} : { authProvider: plugin.authProvider }),
    },
  );
  return config;
}

function pick(request: RequestOptions): PluginCredentials {
  const headers = request.headers ?? {};
  const authorization = 'Authorization' in headers ? headers.Authorization : undefined;
  return {
    ...(typeof authorization === 'string' ? { authorization } : {}),
    ...(isPem(request.cert) ? { cert: request.cert } : {}),
    ...(isPem(request.key) ? { key: request.key } : {}),
  };
}

const isPem = (value: unknown): value is string | Buffer => typeof value === 'string' || Buffer.isBuffer(value);

function describe(plugin: PluginEntry): string {
  if (plugin.exec === undefined) return `auth-provider "${String(plugin.authProvider?.name)}"`;
  return `exec command "${String(plugin.exec.command)}"`;
}

/** What a plug-in printed to stderr helps; what it printed to stdout is a credential and must not be repeated. */
function remedy(error: unknown): string {
  if (!(error instanceof Error) || error instanceof SyntaxError || error instanceof TypeError) {
    return 'it did not print an ExecCredential as JSON; run the command by hand to see what it says';
  }
  const text = error.message.trim().slice(0, 300);
  return text === '' ? 'it printed no reason; run the command by hand to see why' : text;
}
