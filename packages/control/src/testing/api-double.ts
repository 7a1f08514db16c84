import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createKubeClient, type KubeClient } from '@holdfast/kube';

/** One request at the wire, and the means to answer it. */
export interface Exchange {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  reply(status: number, body: unknown, headers?: Record<string, string>): void;
  /** Refuses with a metav1.Status. */
  refuse(code: number, reason: string): void;
  /** Answers a watch: each event goes out as a line at once. */
  stream(): WatchStream;
  /** Breaks the connection without an answer. */
  hangUp(): void;
}

export interface WatchStream {
  send(type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR', object: unknown): void;
  end(): void;
  hangUp(): void;
}

export interface ApiDouble {
  client: KubeClient;
  exchanges: Exchange[];
  stop(): Promise<void>;
}

/** A loopback HTTP server that leaves every answer to the test, and a real client for it. */
export async function startApiDouble(handle: (exchange: Exchange) => void): Promise<ApiDouble> {
  const exchanges: Exchange[] = [];
  const server = createServer((request, response) => {
    void readJson(request).then((body) => {
      const exchange = exchangeOf(request, response, body);
      exchanges.push(exchange);
      handle(exchange);
    });
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('no port'));
      else resolve(address.port);
    });
  });
  const client = createKubeClient({
    config: { server: `http://127.0.0.1:${port}`, credentials: async () => ({ tls: {} }) },
    userAgent: 'control-test/0',
  });
  return {
    client,
    exchanges,
    async stop() {
      client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function exchangeOf(request: IncomingMessage, response: ServerResponse, body: unknown): Exchange {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const exchange: Exchange = {
    method: request.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    body,
    reply(status, answer, headers = {}) {
      response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
      response.end(JSON.stringify(answer));
    },
    refuse: (code, reason) =>
      exchange.reply(code, {
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        reason,
        code,
        message: `refused: ${reason}`,
      }),
    stream() {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.flushHeaders();
      return {
        send: (type, object) => void response.write(`${JSON.stringify({ type, object })}\n`),
        end: () => void response.end(),
        hangUp: () => void request.socket.destroy(),
      };
    },
    hangUp: () => void request.socket.destroy(),
  };
  return exchange;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? undefined : JSON.parse(text);
}
