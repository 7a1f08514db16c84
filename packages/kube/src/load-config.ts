import { checkServer, createTlsCache, type KubeConfig, proxyFromEnv } from './config.ts';
import { loadInClusterConfig } from './in-cluster.ts';
import { loadKubeconfigFile } from './kubeconfig.ts';

export interface LoadKubeConfigOptions {
  /** Path of a kubeconfig; empty or left out means: we run in a pod. */
  kubeconfig?: string;
  /** Overrides the server of the kubeconfig; alone it is used without credentials. */
  master?: string;
  /** Read for KUBERNETES_SERVICE_HOST and _PORT and the proxy variables. KUBECONFIG is the caller's to honour. */
  env?: NodeJS.ProcessEnv;
  /** Where the service account is mounted; only tests move it. */
  serviceAccountDir?: string;
}

/**
 * Finds the configuration as Go's BuildConfigFromFlags does: kubeconfig, else master, else the pod's service account.
 * @throws KubeConfigError
 */
export async function loadKubeConfig(options: LoadKubeConfigOptions = {}): Promise<KubeConfig> {
  const env = options.env ?? process.env;
  const config = await find(options, env);
  const proxyEnv = config.proxyEnv ?? proxyFromEnv(env);
  const server = options.master ? checkServer(options.master, '--master') : config.server;
  return { ...config, server, ...(proxyEnv === undefined ? {} : { proxyEnv }) };
}

async function find(options: LoadKubeConfigOptions, env: NodeJS.ProcessEnv): Promise<KubeConfig> {
  if (options.kubeconfig) return loadKubeconfigFile(options.kubeconfig);
  if (options.master) {
    const tls = createTlsCache()({});
    return { server: options.master, credentials: () => Promise.resolve({ tls }) };
  }
  return loadInClusterConfig({
    env,
    ...(options.serviceAccountDir === undefined ? {} : { serviceAccountDir: options.serviceAccountDir }),
  });
}
