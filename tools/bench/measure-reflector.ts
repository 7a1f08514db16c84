import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createReflector, pick, projectHead } from '@holdfast/control';
import { silentLogger } from '@holdfast/core';
import { createKubeClient, persistentVolumes } from '@holdfast/kube';
import * as z from 'zod';
import type { Record } from './measurement.ts';

const objects = 10_000;
const changes = 50_000;
const section = `the reflector by itself: ${objects.toLocaleString('en')} volumes listed, ${changes.toLocaleString('en')} changes`;
// The same object each time: another one would mean other credentials, and new connections.
const tls = {};
const addressSchema = z.object({ port: z.number() });

/** How fast our reflector takes in a list and a flood of changes, over HTTP, from a server that has them ready. */
export async function measureReflector(record: Record, signal: AbortSignal): Promise<void> {
  const source = fork(join(import.meta.dirname, 'event-source.ts'), [String(objects), String(changes)]);
  const ended = new AbortController();
  try {
    const [address] = await once(source, 'message', { signal });
    const { port } = addressSchema.parse(address);
    const client = createKubeClient({
      config: { server: `http://127.0.0.1:${port}`, credentials: async () => ({ tls }) },
      userAgent: 'bench/0.1.0',
    });
    const reflector = createReflector({
      client,
      resource: persistentVolumes,
      project: (volume) => ({
        ...projectHead(volume, { hasFinalizers: true }),
        spec: pick(volume.spec, 'claimRef', 'capacity', 'storageClassName'),
      }),
      log: silentLogger,
    });
    const startedMs = performance.now();
    const running = reflector.run(ended.signal);
    await reflector.synced;
    record({ section, name: 'list', unit: 'objects/s', value: (objects * 1000) / (performance.now() - startedMs) });
    const { promise: seen, resolve } = Promise.withResolvers<void>();
    let left = changes;
    reflector.store.subscribe(() => {
      left -= 1;
      if (left === 0) resolve();
    });
    const cpuBefore = process.cpuUsage();
    const floodedMs = performance.now();
    source.send('flood');
    await seen;
    record({ section, name: 'changes', unit: 'events/s', value: (changes * 1000) / (performance.now() - floodedMs) });
    const { user, system } = process.cpuUsage(cpuBefore);
    record({ section, name: 'CPU of the changes', unit: 's', value: (user + system) / 1e6 });
    ended.abort();
    await running;
    client.close();
  } finally {
    ended.abort();
    source.kill();
  }
}
