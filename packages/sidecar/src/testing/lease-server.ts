import { createServer, type IncomingMessage } from 'node:http';

export interface LeaseServer {
  readonly url: string;
  /** The lease as last written. */
  lease(): { metadata?: Record<string, unknown>; spec?: Record<string, unknown> } | undefined;
  /** Lets somebody else take the lease. */
  steal(holderIdentity: string): void;
  stop(): Promise<void>;
}

interface StoredLease {
  metadata: Record<string, unknown>;
  spec?: Record<string, unknown>;
}

async function jsonBody(request: IncomingMessage): Promise<StoredLease> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return JSON.parse(text);
}

/** As much of an API server as leader election needs: one lease with resourceVersion conflicts, and events that vanish. */
export async function startLeaseServer(): Promise<LeaseServer> {
  let stored: StoredLease | undefined;
  let revision = 0;
  const store = (lease: StoredLease): StoredLease => {
    stored = { ...lease, metadata: { uid: 'u', ...lease.metadata, resourceVersion: String(++revision) } };
    return stored;
  };

  async function answer(request: IncomingMessage): Promise<[number, unknown]> {
    if (request.method === 'GET') return stored === undefined ? [404, status(404, 'NotFound')] : [200, stored];
    const body = await jsonBody(request);
    if (!request.url?.includes('/leases')) return [201, body];
    if (request.method === 'POST')
      return stored === undefined ? [201, store(body)] : [409, status(409, 'AlreadyExists')];
    const isCurrent = body.metadata.resourceVersion === stored?.metadata.resourceVersion;
    return isCurrent ? [200, store(body)] : [409, status(409, 'Conflict')];
  }

  const server = createServer((request, response) => {
    void answer(request).then(([code, body]) => {
      response.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    lease: () => stored,
    steal(holderIdentity) {
      if (stored !== undefined) store({ ...stored, spec: { ...stored.spec, holderIdentity } });
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function status(code: number, reason: string): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: reason };
}
