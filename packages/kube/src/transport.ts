import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { DeadlineError } from '@holdfast/core';
import type { Credentials, ProxyEnv, TlsSettings } from './config.ts';

/** No answer came: the connection could not be made, or broke. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** The request went out on a kept-alive socket, which the server may have closed a moment before. */
  readonly wasSocketReused: boolean;

  constructor(cause: unknown, wasSocketReused: boolean) {
    super('connection failed', { cause });
    this.wasSocketReused = wasSocketReused;
  }
}

export interface WireRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly credentials: Credentials;
  /** How long to wait for the head of the answer. */
  readonly headTimeoutMs: number;
  /** Ends the request and, later, the body that is being read. */
  readonly signal?: AbortSignal | undefined;
}

export interface Transport {
  /** Resolves when the head of the answer is here; the body is still to be read. */
  send(request: WireRequest): Promise<IncomingMessage>;
  close(): void;
}

/** kube-apiserver closes idle connections after 90 s; letting go earlier keeps writes off sockets that are being closed. */
const IDLE_SOCKET_MS = 60_000;
const TCP_KEEP_ALIVE_MS = 30_000;
/** Longer than any watch lives, so that nothing in use is cut when credentials change. */
const RETIRED_AGENT_MS = 15 * 60_000;

/** HTTP/1.1 over kept-alive sockets, one pool for each set of TLS credentials. */
export function createTransport(deps: { server: string; proxyEnv?: ProxyEnv }): Transport {
  const base = new URL(deps.server);
  const isTls = base.protocol === 'https:';
  const proxyEnv = isLoopback(base.hostname) ? undefined : deps.proxyEnv;
  const agents = new Set<http.Agent>();
  let current: { tls: TlsSettings; agent: http.Agent } | undefined;

  function agentFor(tls: TlsSettings): http.Agent {
    if (current?.tls === tls) return current.agent;
    if (current !== undefined) retire(current.agent);
    const agent = isTls ? new https.Agent(tlsAgentOptions(tls, proxyEnv)) : new http.Agent(agentOptions(proxyEnv));
    agents.add(agent);
    current = { tls, agent };
    return agent;
  }

  function retire(agent: http.Agent): void {
    setTimeout(() => {
      agents.delete(agent);
      agent.destroy();
    }, RETIRED_AGENT_MS).unref();
  }

  function send(request: WireRequest): Promise<IncomingMessage> {
    const { signal } = request;
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const outgoing = (isTls ? https : http).request({
        protocol: base.protocol,
        hostname: base.hostname.replace(/^\[|\]$/g, ''),
        port: base.port === '' ? (isTls ? 443 : 80) : Number(base.port),
        path: base.pathname.replace(/\/$/, '') + request.path,
        method: request.method,
        headers: request.headers,
        agent: agentFor(request.credentials.tls),
      });
      let incoming: IncomingMessage | undefined;
      const onAbort = (): void => {
        reject(signal?.reason);
        (incoming ?? outgoing).destroy();
      };
      const headTimer = setTimeout(() => {
        reject(new DeadlineError(request.headTimeoutMs));
        outgoing.destroy();
      }, request.headTimeoutMs);
      signal?.addEventListener('abort', onAbort, { once: true });

      outgoing.once('socket', (socket) => socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS));
      outgoing.once('response', (response) => {
        clearTimeout(headTimer);
        incoming = response;
        resolve(response);
      });
      outgoing.on('error', (error) => reject(new ConnectionError(error, outgoing.reusedSocket)));
      outgoing.once('close', () => {
        clearTimeout(headTimer);
        signal?.removeEventListener('abort', onAbort);
      });
      outgoing.end(request.body);
    });
  }

  return {
    send,
    close() {
      for (const agent of agents) agent.destroy();
      agents.clear();
      current = undefined;
    },
  };
}

function agentOptions(proxyEnv: ProxyEnv | undefined): http.AgentOptions {
  return { keepAlive: true, timeout: IDLE_SOCKET_MS, ...(proxyEnv === undefined ? {} : { proxyEnv: { ...proxyEnv } }) };
}

function tlsAgentOptions(tls: TlsSettings, proxyEnv: ProxyEnv | undefined): https.AgentOptions {
  return {
    ...agentOptions(proxyEnv),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.servername === undefined ? {} : { servername: tls.servername }),
    ...(tls.isInsecure ? { rejectUnauthorized: false } : {}),
  };
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}

/** The whole body as text. @throws ConnectionError or DeadlineError */
export async function readBody(response: IncomingMessage, timeoutMs: number): Promise<string> {
  const late = setTimeout(() => response.destroy(new DeadlineError(timeoutMs)), timeoutMs);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  } catch (error) {
    throw error instanceof DeadlineError ? error : new ConnectionError(error, false);
  } finally {
    clearTimeout(late);
  }
  return Buffer.concat(chunks).toString('utf8');
}
