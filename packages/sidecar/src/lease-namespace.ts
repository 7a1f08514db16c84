import { readFile } from 'node:fs/promises';

const SERVICE_ACCOUNT_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/** The flag, then POD_NAMESPACE, then the namespace that the service account is mounted from, then `default`. */
export async function leaseNamespace(
  flag: string,
  env: NodeJS.ProcessEnv,
  file = SERVICE_ACCOUNT_NAMESPACE,
): Promise<string> {
  if (flag !== '') return flag;
  if (env.POD_NAMESPACE) return env.POD_NAMESPACE;
  // Outside a pod there is no such file, which is no fault.
  const mounted = await readFile(file, 'utf8').catch(() => '');
  return mounted.trim() || 'default';
}
