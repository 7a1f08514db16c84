import { type KubernetesCluster, startKubernetesCluster } from '../rig/kubernetes-cluster.ts';
import { makeTemporaryFolder } from '../rig/temporary-folder.ts';
import type { BenchArguments } from './arguments.ts';
import { type Driver, openDriver } from './load/driver.ts';
import { prepareCluster } from './load/objects.ts';
import { startWatcher, type Watcher } from './load/watcher.ts';

/** What one measurement stands on: a fresh control plane, a driver with an empty pool, and somebody who watches. */
export interface Footing {
  readonly cluster: KubernetesCluster;
  readonly driver: Driver;
  readonly watcher: Watcher;
  readonly folder: string;
  stop(): Promise<void>;
}

/** What the life of a claim needs: no loop of another's is to take the processor. */
const controllers = [
  'serviceaccount-controller',
  'persistentvolume-binder-controller',
  'persistentvolumeclaim-protection-controller',
  'persistentvolume-protection-controller',
];

export async function openFooting(args: BenchArguments, signal: AbortSignal): Promise<Footing> {
  const folder = makeTemporaryFolder('bench');
  const opened: (() => Promise<void> | void)[] = [() => folder.remove()];
  const stop = async (): Promise<void> => {
    for (const close of opened.toReversed()) await close();
  };
  try {
    const cluster = await startKubernetesCluster({
      signal,
      controllers,
      // The default. The rig's own would go through all claims every second.
      controllerManagerArgs: ['--pvclaimbinder-sync-period=15s'],
    });
    opened.push(() => cluster.stop());
    const driver = await openDriver(args, { folder: folder.path, signal });
    opened.push(() => driver.stop());
    await prepareCluster(cluster.client, driver, args);
    const watcher = await startWatcher(cluster.client);
    opened.push(() => watcher.stop());
    return { cluster, driver, watcher, folder: folder.path, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
