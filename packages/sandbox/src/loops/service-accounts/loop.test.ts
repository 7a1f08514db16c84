import { isNotFound, namespaces } from '@holdfast/kube';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startTestCluster, type TestCluster } from '../../testing/test-cluster.ts';
import { serviceAccounts } from './resource.ts';

let cluster: TestCluster;
const soon = { timeout: 10_000, interval: 20 };
beforeEach(async () => {
  cluster = await startTestCluster({ loops: true });
});
afterEach(() => cluster.stop());

it('gives every namespace its default account, again when it is deleted, and lets the namespace go', async () => {
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } });
  const get = (namespace: string): Promise<string | undefined> =>
    cluster.client.get(serviceAccounts, { namespace, name: 'default' }).then(({ metadata }) => metadata.uid);
  await vi.waitFor(() => get('kube-system'), soon);
  const first = await vi.waitFor(() => get('team'), soon);

  await cluster.client.delete(serviceAccounts, { namespace: 'team', name: 'default' });
  await vi.waitFor(async () => expect(await get('team')).not.toBe(first), soon);

  await cluster.client.delete(namespaces, { name: 'team' });
  await vi.waitFor(async () => {
    const error: unknown = await cluster.client.get(namespaces, { name: 'team' }).catch((reason: unknown) => reason);
    expect(isNotFound(error)).toBe(true);
  }, soon);
});
