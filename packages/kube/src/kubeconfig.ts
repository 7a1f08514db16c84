import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errorMessage } from '@holdfast/core';
import {
  type Credentials,
  checkServer,
  createTlsCache,
  type KubeConfig,
  KubeConfigError,
  type TlsSettings,
} from './config.ts';
import { createPluginCredentials } from './credential-plugin.ts';
import { parseKubeconfig } from './kubeconfig-document.ts';
import { createRotatingFile } from './rotating-file.ts';

/** Loads the current context of a kubeconfig file. Files it names are relative to it, and read again when they change. */
export async function loadKubeconfigFile(path: string): Promise<KubeConfig> {
  const where = `kubeconfig ${path}`;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new KubeConfigError(
      `${where} cannot be read: ${errorMessage(error)}. Pass --kubeconfig=FILE with a file that exists and that this user may read`,
      { cause: error },
    );
  }
  const { cluster, user, namespace } = await parseKubeconfig(text, where);
  const dir = dirname(resolve(path));
  const inline = (data: string | undefined) => (data === undefined ? undefined : Buffer.from(data, 'base64'));
  const source = (data: string | undefined, file: string | undefined) => {
    const bytes = inline(data);
    if (bytes !== undefined) return () => Promise.resolve(bytes);
    if (file === undefined) return undefined;
    const rotating = createRotatingFile(resolve(dir, file));
    return () => rotating.read();
  };

  const ca = source(cluster.caData, cluster.caFile);
  const cert = source(user.certData, user.certFile);
  const key = source(user.keyData, user.keyFile);
  const tokenFile = user.tokenFile === undefined ? undefined : createRotatingFile(resolve(dir, user.tokenFile));
  const plugin =
    user.plugin === undefined ? undefined : createPluginCredentials({ where, cluster, plugin: user.plugin });
  const sameTls = createTlsCache();

  async function credentials(options?: { isRejected?: boolean }): Promise<Credentials> {
    const fromPlugin = await plugin?.(options);
    const [caBytes, certBytes, keyBytes] = await Promise.all([ca?.(), cert?.(), key?.()]);
    const tls: Mutable<TlsSettings> = {};
    if (caBytes !== undefined) tls.ca = caBytes;
    if (cluster.serverName !== undefined) tls.servername = cluster.serverName;
    if (cluster.isInsecure) tls.isInsecure = true;
    const certificate = fromPlugin?.cert ?? certBytes;
    const privateKey = fromPlugin?.key ?? keyBytes;
    if (certificate !== undefined) tls.cert = certificate;
    if (privateKey !== undefined) tls.key = privateKey;

    const token = tokenFile === undefined ? user.token : (await tokenFile.read()).toString('utf8').trim();
    const authorization = token ? `Bearer ${token}` : (fromPlugin?.authorization ?? basic(user));
    return {
      tls: sameTls(tls),
      ...(authorization === undefined ? {} : { authorization }),
      ...(user.impersonate === undefined ? {} : { headers: { 'Impersonate-User': user.impersonate } }),
    };
  }

  if (plugin === undefined) await checkFiles(credentials, where);
  const server = checkServer(cluster.server, where);
  return {
    server,
    ...(namespace === undefined ? {} : { namespace }),
    ...(cluster.proxyUrl === undefined
      ? {}
      : { proxyEnv: { HTTP_PROXY: cluster.proxyUrl, HTTPS_PROXY: cluster.proxyUrl } }),
    credentials,
  };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

async function checkFiles(credentials: () => Promise<Credentials>, where: string): Promise<void> {
  try {
    await credentials();
  } catch (error) {
    throw new KubeConfigError(
      `${where} names a file that cannot be read: ${errorMessage(error)}. Correct the path (it is relative to the kubeconfig) or its permissions`,
      { cause: error },
    );
  }
}

function basic(user: { username?: string; password?: string }): string | undefined {
  if (user.username === undefined) return undefined;
  return `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
}
