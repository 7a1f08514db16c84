import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Clock, Logger } from '@holdfast/core';
import { systemClock } from '@holdfast/core';
import { createAccountTokens } from './access/account-tokens.ts';
import { createAuthorizer } from './access/authorizer.ts';
import { bootstrapAccess } from './access/bootstrap.ts';
import type { TokenTable } from './auth.ts';
import { createAuthenticator } from './auth.ts';
import { createHandler } from './handle.ts';
import type { Interceptor, RequestLogEntry } from './interception.ts';
import { storageName } from './kind.ts';
import { namespaces } from './kinds/core.ts';
import { type Credentials, createCredentials } from './persistence/credentials.ts';
import type { Journal } from './persistence/journal.ts';
import type { Storage } from './storage.ts';
import { createStorage } from './storage.ts';
import { createObject } from './verbs/create.ts';

export interface ApiServerDeps {
  /** 0 (the default) takes a free one. */
  readonly port?: number;
  readonly host?: '127.0.0.1';
  readonly tokens: TokenTable;
  /** HTTPS with a certificate of its own making. Go clients, kubectl among them, send no token over plain HTTP. */
  readonly tls?: boolean;
  readonly clock?: Clock;
  readonly log: Logger;
  /** Default: made for this run. */
  readonly credentials?: Credentials;
  /** Where objects are kept beyond this run. Default: nowhere. */
  readonly journal?: Journal;
  /** How often a watch that allows bookmarks gets one; a real API server does it every minute. */
  readonly bookmarkIntervalMs?: number;
  /** How many changes can be resumed from before a client is told 410. */
  readonly historySize?: number;
  /** Called before each authenticated request takes effect. For tests. */
  readonly intercept?: Interceptor;
  /** Called when the status of a reply is known. */
  readonly onReply?: (entry: RequestLogEntry) => void;
}

export interface ApiServer {
  readonly url: string;
  /** The certificate to trust, PEM; undefined for plain HTTP. */
  readonly ca: string | undefined;
  readonly storage: Storage;
  /** Forgets the history, as etcd's compaction does: whoever resumes from before it is told 410. */
  compact(): void;
  /** Cuts every connection, as a network does: watches end in the middle. */
  dropConnections(): void;
  /** Ends every watch and connection, and returns once the port is free. */
  stop(): Promise<void>;
}

const firstNamespaces = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

/** Serves the part of the Kubernetes API that storage touches, from memory, over HTTP on loopback. */
export async function createApiServer(deps: ApiServerDeps): Promise<ApiServer> {
  const { log, clock = systemClock, host = '127.0.0.1' } = deps;
  const { certificate, signingKey } = deps.credentials ?? createCredentials(clock.nowMs());
  const storage = createStorage({ historySize: deps.historySize ?? 10_000, ...deps.journal });
  for (const name of firstNamespaces) {
    if (storage.get(storageName(namespaces), name) !== undefined) continue;
    createObject(
      { storage, clock },
      namespaces,
      undefined,
      { metadata: { name } },
      { isDryRun: false, fieldManager: '' },
    );
  }
  bootstrapAccess({ storage, clock });
  const accountTokens = createAccountTokens({ key: signingKey, storage, clock });
  const stopping = new AbortController();
  const handle = createHandler({
    storage,
    clock,
    log,
    accountTokens,
    authenticator: createAuthenticator({ tokens: deps.tokens, accountTokens }),
    authorizer: createAuthorizer({ storage }),
    bookmarkIntervalMs: deps.bookmarkIntervalMs ?? 60_000,
    intercept: deps.intercept ?? (() => undefined),
    onReply: deps.onReply ?? (() => undefined),
    signal: stopping.signal,
  });
  const identity = deps.tls === true ? certificate : undefined;
  const listener: RequestListener = (request, response) => void handle(request, response);
  // Go's servers read a megabyte of headers, and a URL with a long selector needs more than Node's 16 KiB.
  const options = { keepAliveTimeout: 75_000, maxHeaderSize: 1024 * 1024 };
  const server =
    identity === undefined ? createServer(options, listener) : createTlsServer({ ...options, ...identity }, listener);
  const port = await listen(server, deps.port ?? 0, host);
  return {
    url: `${identity === undefined ? 'http' : 'https'}://${host}:${port}`,
    ca: identity?.cert,
    storage,
    compact: () => storage.compact(),
    dropConnections: () => server.closeAllConnections(),
    async stop() {
      stopping.abort();
      // Watches end on their own now; what is still there after a turn of the event loop is cut.
      await new Promise((resolve) => setImmediate(resolve));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
      else reject(new Error(`the API server listens on ${String(address)}, which is no port`));
    });
  });
}
