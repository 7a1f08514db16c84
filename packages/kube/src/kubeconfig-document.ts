import { KubeConfigError } from './config.ts';
import { isRecord } from './status.ts';

/** The current context of a kubeconfig, with the fields we use. */
export interface KubeconfigContext {
  readonly cluster: ClusterEntry;
  readonly user: UserEntry;
  readonly namespace?: string;
}

export interface ClusterEntry {
  readonly name: string;
  readonly server: string;
  readonly caData?: string;
  readonly caFile?: string;
  readonly serverName?: string;
  readonly isInsecure: boolean;
  readonly proxyUrl?: string;
}

export interface UserEntry {
  readonly certData?: string;
  readonly certFile?: string;
  readonly keyData?: string;
  readonly keyFile?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly impersonate?: string;
  /** The entry as written, when credentials come from an `exec` or `auth-provider` plug-in. */
  readonly plugin?: PluginEntry;
}

export interface PluginEntry {
  readonly userName: string;
  readonly exec?: Record<string, unknown>;
  readonly authProvider?: Record<string, unknown>;
}

/**
 * Reads a kubeconfig. We take the fields ourselves because client-node's loader reads `token-file` where kubectl writes
 * `tokenFile`, and because its messages repeat the content. Errors name the entry, never its value.
 * @throws KubeConfigError
 */
export async function parseKubeconfig(text: string, where: string): Promise<KubeconfigContext> {
  const document = await parseDocument(text, where);
  if (!isRecord(document)) {
    throw new KubeConfigError(`${where} is not a kubeconfig: expected a mapping with clusters, users and contexts`);
  }
  const contextName = document['current-context'];
  if (typeof contextName !== 'string' || contextName === '') {
    throw new KubeConfigError(`${where} has no current-context: set one with "kubectl config use-context NAME"`);
  }
  const context = entry(document.contexts, contextName, 'contexts', 'context', where);
  const readContext = reader(context, `${where}: contexts "${contextName}"`);
  const clusterName = readContext('cluster');
  if (clusterName === undefined) throw new KubeConfigError(`${where}: contexts "${contextName}" names no cluster`);
  const cluster = entry(document.clusters, clusterName, 'clusters', 'cluster', where);
  const userName = readContext('user');
  const user = userName === undefined ? {} : entry(document.users, userName, 'users', 'user', where);
  const namespace = readContext('namespace');
  return {
    cluster: readCluster(cluster, clusterName, where),
    user: readUser(user, userName ?? '', where),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

async function parseDocument(text: string, where: string): Promise<unknown> {
  if (text.trim() === '') throw new KubeConfigError(`${where} is empty: write it with "kubectl config view --raw"`);
  // client-node reads YAML too, but costs 85 MB to load; it is left to the credential plug-ins.
  const { readYaml } = await import('./yaml.ts');
  const read = readYaml(text);
  if (read.kind === 'value') return read.value;
  const { line } = read;
  throw new KubeConfigError(
    `${where} is not valid YAML${line === undefined ? '' : ` (line ${line})`}: correct it, or write it anew with "kubectl config view --raw"`,
  );
}

function entry(list: unknown, name: string, plural: string, key: string, where: string): Record<string, unknown> {
  const found: unknown = Array.isArray(list)
    ? list.find((item: unknown) => isRecord(item) && item.name === name)
    : undefined;
  const value = isRecord(found) ? found[key] : undefined;
  if (isRecord(value)) return value;
  throw new KubeConfigError(`${where} has no entry "${name}" under ${plural}: add it or choose another context`);
}

function readCluster(cluster: Record<string, unknown>, name: string, where: string): ClusterEntry {
  const read = reader(cluster, `${where}: clusters "${name}"`);
  const server = read('server');
  if (server === undefined)
    throw new KubeConfigError(`${where}: clusters "${name}" has no server; write https://host:port`);
  return withoutUndefined({
    name,
    server,
    isInsecure: cluster['insecure-skip-tls-verify'] === true,
    caData: read('certificate-authority-data'),
    caFile: read('certificate-authority'),
    serverName: read('tls-server-name'),
    proxyUrl: read('proxy-url'),
  });
}

function readUser(user: Record<string, unknown>, name: string, where: string): UserEntry {
  const read = reader(user, `${where}: users "${name}"`);
  const exec = isRecord(user.exec) ? user.exec : undefined;
  const authProvider = isRecord(user['auth-provider']) ? user['auth-provider'] : undefined;
  const plugin: PluginEntry | undefined =
    exec === undefined && authProvider === undefined
      ? undefined
      : withoutUndefined({ userName: name, exec, authProvider });
  return withoutUndefined({
    certData: read('client-certificate-data'),
    certFile: read('client-certificate'),
    keyData: read('client-key-data'),
    keyFile: read('client-key'),
    token: read('token'),
    tokenFile: read('tokenFile'),
    username: read('username'),
    password: read('password'),
    impersonate: read('as'),
    plugin,
  });
}

function reader(record: Record<string, unknown>, where: string): (key: string) => string | undefined {
  return (key) => {
    const value = record[key];
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value === 'string') return value;
    throw new KubeConfigError(`${where}: ${key} is not a string; put it in quotes`);
  };
}

type Defined<T> = { [Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key] } & {
  [Key in keyof T as undefined extends T[Key] ? Key : never]?: Exclude<T[Key], undefined>;
};

function withoutUndefined<T extends object>(record: T): Defined<T>;
function withoutUndefined(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
