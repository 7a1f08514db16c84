import { createServer } from 'node:net';
import { found, notYet } from '../expect.ts';
import { applyExample } from '../manifests.ts';
import { driverName, stack } from '../programs.ts';
import type { Scene } from './scene.ts';

/** Starts the driver and its sidecars, and waits until kubelet knows the driver and the driver says that it is well. */
export async function startPrograms({
  backend,
  cluster,
  places,
  supervisor,
  signal,
  file,
  step,
}: Scene): Promise<void> {
  const healthAddress = `127.0.0.1:${await freePort()}`;
  const programs = stack(places, backend, healthAddress);
  for (const program of programs) supervisor.start(program);
  await applyExample(cluster.client, file('1-driver'), signal);
  await step({
    title: 'driver is registered',
    what: `${driverName(backend)} in the node's CSINode`,
    look: () => {
      const names = cluster.csiNode()?.spec?.drivers?.map((entry) => entry.name) ?? [];
      return names.includes(driverName(backend)) ? found(names) : notYet(`it lists ${names.join(', ') || 'nothing'}`);
    },
    detail: () => `up: ${programs.map(({ name }) => name).join(', ')}`,
  });
  await step({
    title: 'driver is healthy',
    what: 'livenessprobe to answer 200',
    look: async () => {
      const url = `http://${healthAddress}/healthz`;
      const reply = await fetch(url, { signal }).catch((error: Error) => error);
      if (reply instanceof Error) return notYet(`${url}: ${reply.message}`);
      return reply.ok ? found(reply.status) : notYet(`${url}: ${reply.status} ${await reply.text()}`);
    },
    detail: () => 'livenessprobe says ok',
  });
}

/** A port that nobody had a moment ago: another demo may run beside this one. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
