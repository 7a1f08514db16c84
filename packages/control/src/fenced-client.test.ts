import { createFakeClock } from '@holdfast/core/testing';
import { persistentVolumes } from '@holdfast/kube';
import { expect, it } from 'vitest';
import { createFence, FenceError } from './fence.ts';
import { fencedClient } from './fenced-client.ts';
import { startApiDouble } from './testing/api-double.ts';

it('reads always, and writes only while the fence is held', async () => {
  const api = await startApiDouble((exchange) =>
    exchange.reply(200, { metadata: { name: 'v', uid: 'u', resourceVersion: '1' }, items: [] }),
  );
  const clock = createFakeClock();
  const fence = createFence({ leaseName: 'lock', leaseDurationMs: 1_000, clock });
  const client = fencedClient(api.client, fence);
  const ref = { name: 'v' };
  const writes = [
    () => client.create(persistentVolumes, { metadata: ref }),
    () => client.patch(persistentVolumes, ref, { kind: 'merge', body: {} }),
    () => client.delete(persistentVolumes, ref),
    () => client.request('POST', '/api/v1/x', {}),
  ];
  for (const write of writes) await expect(write()).rejects.toBeInstanceOf(FenceError);
  await client.get(persistentVolumes, ref);
  await client.list(persistentVolumes);
  await client.request('GET', '/version');
  expect(api.exchanges.map((exchange) => exchange.method)).toEqual(['GET', 'GET', 'GET']);
  fence.extend(0);
  for (const write of writes) await write();
  expect(api.exchanges).toHaveLength(7);
  await clock.advance(1_000);
  for (const write of writes) await expect(write()).rejects.toBeInstanceOf(FenceError);
  expect(api.exchanges).toHaveLength(7);
  await api.stop();
});
