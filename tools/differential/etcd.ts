import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import * as z from 'zod';

const reply = z.object({ header: z.object({ revision: z.string() }) });

/** Compacts etcd's history up to now, over its JSON gateway. */
export async function compactEtcd(socketPath: string): Promise<void> {
  const anyKey = Buffer.from('any').toString('base64');
  const { header } = await call(socketPath, '/v3/kv/range', { key: anyKey });
  await call(socketPath, '/v3/kv/compaction', { revision: header.revision, physical: true });
}

async function call(socketPath: string, path: string, body: object): Promise<z.infer<typeof reply>> {
  const content = await new Promise<unknown>((resolve, reject) => {
    const outgoing = request({ socketPath, path, method: 'POST' }, (incoming) => {
      if (incoming.statusCode === 200) json(incoming).then(resolve, reject);
      else reject(new Error(`etcd answered ${path} with HTTP ${incoming.statusCode ?? 0}`));
    });
    outgoing.once('error', reject);
    outgoing.end(JSON.stringify(body));
  });
  return reply.parse(content);
}
