import { persistentVolumeClaims } from '@holdfast/kube';
import { startTestCluster } from '@holdfast/sandbox/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { found, notYet, openWorld, type World } from './world.ts';

async function world(): Promise<{ world: World; addClaim: (name: string) => Promise<void> }> {
  const cluster = await startTestCluster({});
  onTestFinished(() => cluster.stop());
  const opened = await openWorld(cluster.client);
  onTestFinished(() => opened.close());
  return {
    world: opened,
    addClaim: async (name) => {
      const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } };
      await cluster.client.create(persistentVolumeClaims, { metadata: { name, namespace: 'default' }, spec });
    },
  };
}

describe('a wait for the world', () => {
  it('ends with what came', async () => {
    const { world: seen, addClaim } = await world();
    const name = seen.until({
      what: 'a claim',
      look: () => {
        const [claim] = seen.claims();
        return claim === undefined ? notYet('none') : found(claim.metadata.name);
      },
    });
    await addClaim('data');
    expect(await name).toBe('data');
  });

  it('says what it saw instead', async () => {
    const { world: seen } = await world();
    await expect(seen.until({ what: 'a claim', look: () => notYet('an empty list'), timeoutMs: 1 })).rejects.toThrow(
      'expected a claim; seen after 0.001 s: an empty list',
    );
  });
});
