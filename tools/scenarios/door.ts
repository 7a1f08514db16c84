// The cluster of a run lives in the process that started it, which outlives vitest's. This is how a scenario reaches it.
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { errorMessage } from '@holdfast/core';
import { createKubeClient, loadKubeConfig } from '@holdfast/kube';
import * as z from 'zod';
import type { AuditedRequest, Cluster } from '../rig/contract.ts';
import type { ClusterReference } from './settings.ts';

const call = z.discriminatedUnion('method', [
  z.object({ method: z.literal('serviceAccountKubeconfig'), namespace: z.string(), name: z.string() }),
  z.object({ method: z.literal('apply'), yaml: z.string() }),
  z.object({ method: z.literal('requests') }),
  z.object({ method: z.literal('forgetRequests') }),
  z.object({ method: z.literal('restartApiServer'), downMs: z.number().optional() }),
]);
type Call = z.infer<typeof call>;

const audited: z.ZodType<readonly AuditedRequest[]> = z.array(
  z.object({
    verb: z.string(),
    resource: z.string(),
    subresource: z.string(),
    namespace: z.string(),
    name: z.string(),
    userAgent: z.string(),
    user: z.string(),
    code: z.number(),
  }),
);

async function answer(cluster: Cluster, asked: Call): Promise<unknown> {
  if (asked.method === 'serviceAccountKubeconfig') {
    return await cluster.serviceAccountKubeconfig(asked.namespace, asked.name);
  }
  if (asked.method === 'requests') return await cluster.requests();
  if (asked.method === 'apply') await cluster.apply(asked.yaml);
  else if (asked.method === 'forgetRequests') await cluster.forgetRequests();
  else await cluster.restartApiServer(asked.downMs === undefined ? {} : { downMs: asked.downMs });
  return null;
}

/** Serves a cluster on a unix socket. @returns close */
export async function openDoor(cluster: Cluster, socketPath: string): Promise<() => Promise<void>> {
  const server = createServer((incoming, reply) => {
    text(incoming)
      .then((body) => answer(cluster, call.parse(JSON.parse(body))))
      .then(
        (value) => reply.end(JSON.stringify(value)),
        (error: unknown) => reply.writeHead(500).end(errorMessage(error)),
      );
  });
  server.listen(socketPath);
  await once(server, 'listening');
  return async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
}

/** The cluster behind a door. It is not this process's to stop. */
export async function clusterBehind({ kind, url, adminKubeconfig, door }: ClusterReference): Promise<Cluster> {
  const config = await loadKubeConfig({ kubeconfig: adminKubeconfig, env: {} });
  return {
    kind,
    url,
    adminKubeconfig,
    client: createKubeClient({ config, userAgent: 'rig/scenarios' }),
    serviceAccountKubeconfig: async (namespace, name) =>
      z.string().parse(await ask(door, { method: 'serviceAccountKubeconfig', namespace, name })),
    apply: async (yaml) => void (await ask(door, { method: 'apply', yaml })),
    requests: async () => audited.parse(await ask(door, { method: 'requests' })),
    forgetRequests: async () => void (await ask(door, { method: 'forgetRequests' })),
    restartApiServer: async ({ downMs } = {}) => void (await ask(door, { method: 'restartApiServer', downMs })),
    stop: () => Promise.reject(new Error('the cluster belongs to the process that started it')),
  };
}

async function ask(socketPath: string, asked: Call): Promise<unknown> {
  const outgoing = request({ socketPath, method: 'POST', agent: false });
  outgoing.end(JSON.stringify(asked));
  const [incoming] = await once(outgoing, 'response');
  const body = await text(incoming);
  if (incoming.statusCode !== 200) throw new Error(body);
  return JSON.parse(body);
}
