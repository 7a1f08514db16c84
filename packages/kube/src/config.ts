/** How to reach the API server and who we are. */
export interface KubeConfig {
  /** `https://host:port`, without a trailing slash. */
  readonly server: string;
  /** The namespace of the context or of the pod, when known. */
  readonly namespace?: string;
  /** Proxy variables to honour; loopback servers are always reached directly. */
  readonly proxyEnv?: ProxyEnv;
  /**
   * Current credentials. `isRejected` says that the server answered 401 to the last ones, so cached ones must be thrown
   * away. `tls` stays the same object until its content changes.
   */
  credentials(options?: { isRejected?: boolean }): Promise<Credentials>;
}

export interface Credentials {
  /** The whole Authorization header. */
  readonly authorization?: string;
  /** More headers, such as impersonation. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls: TlsSettings;
}

export interface TlsSettings {
  readonly ca?: Buffer | string;
  readonly cert?: Buffer | string;
  readonly key?: Buffer | string;
  readonly servername?: string;
  readonly isInsecure?: boolean;
}

export interface ProxyEnv {
  readonly HTTP_PROXY?: string;
  readonly HTTPS_PROXY?: string;
  readonly NO_PROXY?: string;
}

/** The configuration is missing, unreadable or wrong. The message names the file and the remedy, never its content. */
export class KubeConfigError extends Error {
  override readonly name = 'KubeConfigError';
}

/**
 * Returns the same object as long as the settings are equal, so that connections outlive a re-read of the same bytes. Every request
 * asks, so what is the same object already is not compared by content.
 */
export function createTlsCache(): (settings: TlsSettings) => TlsSettings {
  let last: TlsSettings | undefined;
  return (settings) => {
    if (last === undefined || !isSameTls(last, settings)) last = settings;
    return last;
  };
}

function isSameTls(a: TlsSettings, b: TlsSettings): boolean {
  return (
    isSameContent(a.ca, b.ca) &&
    isSameContent(a.cert, b.cert) &&
    isSameContent(a.key, b.key) &&
    a.servername === b.servername &&
    a.isInsecure === b.isInsecure
  );
}

function isSameContent(a: Buffer | string | undefined, b: Buffer | string | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && Buffer.from(a).equals(Buffer.from(b)));
}

/** The proxy variables as Go reads them: upper case first, then lower case. */
export function proxyFromEnv(env: NodeJS.ProcessEnv): ProxyEnv | undefined {
  const http = env.HTTP_PROXY ?? env.http_proxy;
  const https = env.HTTPS_PROXY ?? env.https_proxy;
  const no = env.NO_PROXY ?? env.no_proxy;
  if (!http && !https) return undefined;
  return {
    ...(http ? { HTTP_PROXY: http } : {}),
    ...(https ? { HTTPS_PROXY: https } : {}),
    ...(no ? { NO_PROXY: no } : {}),
  };
}

/** Checks a server address and drops a trailing slash. */
export function checkServer(text: string, where: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new KubeConfigError(`${where}: the server is not a URL; write it as https://host:port`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new KubeConfigError(`${where}: the server's URL must not carry a user or password`);
  }
  return text.replace(/\/+$/, '');
}
