import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { errorMessage } from '@holdfast/core';
import { createTlsCache, type KubeConfig, KubeConfigError } from './config.ts';
import { createRotatingFile } from './rotating-file.ts';

const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The configuration of a pod: its service account's token and CA, both read again when kubelet rotates them. */
export async function loadInClusterConfig(deps: {
  env: NodeJS.ProcessEnv;
  serviceAccountDir?: string;
}): Promise<KubeConfig> {
  const host = deps.env.KUBERNETES_SERVICE_HOST;
  const port = deps.env.KUBERNETES_SERVICE_PORT;
  if (!host || !port) {
    throw new KubeConfigError(
      'no --kubeconfig is set and this is not a pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set): pass --kubeconfig=FILE, or run in a pod with a service account',
    );
  }
  const dir = deps.serviceAccountDir ?? SERVICE_ACCOUNT_DIR;
  const token = createRotatingFile(join(dir, 'token'));
  const ca = createRotatingFile(join(dir, 'ca.crt'));
  const sameTls = createTlsCache();
  const namespace = (await readFile(join(dir, 'namespace'), 'utf8').catch(() => '')).trim();

  async function credentials() {
    const [tokenBytes, caBytes] = await Promise.all([token.read(), ca.read()]);
    return { authorization: `Bearer ${tokenBytes.toString('utf8').trim()}`, tls: sameTls({ ca: caBytes }) };
  }

  try {
    await credentials();
  } catch (error) {
    throw new KubeConfigError(
      `the pod's service account cannot be read: ${errorMessage(error)}. Set automountServiceAccountToken: true on the pod, or pass --kubeconfig=FILE`,
      { cause: error },
    );
  }
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    ...(namespace === '' ? {} : { namespace }),
    credentials,
  };
}
