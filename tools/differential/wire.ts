import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { text } from 'node:stream/consumers';

export interface WireRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface WireReply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** An API server at its wire. */
export interface Server {
  readonly name: 'sandbox' | 'kubernetes';
  /** The administrator's Authorization header. */
  readonly authorization: string;
  send(request: WireRequest): Promise<WireReply>;
  /** Forgets every state of the past. */
  compact(): Promise<void>;
  close(): void;
}

// A watch is asked to end after a second or a few; what says nothing for longer will not say anything.
const silenceMs = 20_000;

export function connect(deps: {
  name: Server['name'];
  url: string;
  ca: Buffer | string | undefined;
  authorization: string;
  compact: () => Promise<void>;
}): Server {
  const isTls = deps.url.startsWith('https:');
  const agent = isTls
    ? new TlsAgent({ keepAlive: true, ...(deps.ca === undefined ? {} : { ca: deps.ca }) })
    : new PlainAgent({ keepAlive: true });
  const open = isTls ? tlsRequest : plainRequest;
  return {
    name: deps.name,
    authorization: deps.authorization,
    compact: deps.compact,
    async send({ method, path, headers, body }) {
      const reply = await new Promise<IncomingMessage>((resolve, reject) => {
        const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
        const outgoing = open(new URL(deps.url), { method, path, headers: { ...headers, ...length }, agent }, resolve);
        outgoing.setTimeout(silenceMs, () =>
          outgoing.destroy(new Error(`${method} ${path}: no answer in ${silenceMs} ms`)),
        );
        outgoing.once('error', reject);
        outgoing.end(body);
      });
      return { status: reply.statusCode ?? 0, headers: reply.headers, text: await text(reply) };
    },
    close: () => agent.destroy(),
  };
}
