import { createLedger } from '../chart/ledger.ts';
import { startKubernetesCluster } from '../rig/kubernetes-cluster.ts';
import { checks } from './checks.ts';
import { startContainerRuntime } from './container-runtime.ts';
import { swapCheck } from './go-manifest.ts';
import { startKubelet } from './kubelet.ts';
import { createNodeWorld, type NodeWorld } from './node-world.ts';
import type { Layout } from './options.ts';
import { install, uninstall } from './release.ts';
import { serveServiceAddress } from './service-address.ts';
import { makeTestImages } from './test-images.ts';

export interface NodeRunOptions {
  readonly scratch: string;
  readonly layouts: readonly Layout[];
  /** Part of the names of the checks to run. */
  readonly only: string;
  readonly images: { readonly registry: string; readonly archives: readonly string[] };
  readonly signal: AbortSignal;
}

/** @returns the exit code */
export async function runNode({ scratch, layouts, only, images, signal }: NodeRunOptions): Promise<number> {
  const ledger = createLedger(console.log);
  const began = performance.now();
  const world = await startNode({ scratch, archives: images.archives, signal });
  console.log(`── the node is up after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  const check = async (name: string, work: () => Promise<void>): Promise<boolean> => {
    const started = performance.now();
    const problem = await work().then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    signal.throwIfAborted();
    ledger.count(`${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`, problem);
    return problem === undefined;
  };
  for (const layout of layouts) {
    console.log(`── layout ${layout}`);
    if (!(await check('the chart is installed', () => install(world, layout, images.registry)))) continue;
    for (const { name, run } of layout === 'separate' ? [...checks, swapCheck] : checks) {
      if (!name.includes(only)) continue;
      // What a check left behind when it failed is in the way of the next.
      if (!(await check(name, () => run(world)))) await world.remove('pod,pvc', '--all').catch(() => {});
    }
    await check('the chart is uninstalled', () => uninstall(world));
  }
  console.log(`\n${ledger.summary()}`);
  return ledger.hasFailed() ? 1 : 0;
}

async function startNode(deps: {
  readonly scratch: string;
  readonly archives: readonly string[];
  readonly signal: AbortSignal;
}): Promise<NodeWorld> {
  const { scratch, signal } = deps;
  const runtime = await startContainerRuntime(scratch, signal);
  for (const archive of [...(await makeTestImages(scratch, signal)), ...deps.archives])
    await runtime.importImage(archive);
  const cluster = await startKubernetesCluster({
    signal,
    givesTokens: true,
    apiServerArgs: ['--allow-privileged=true'],
  });
  await serveServiceAddress(cluster.url);
  const kubelet = await startKubelet({ scratch, cluster, runtimeSocket: runtime.socket, signal });
  return createNodeWorld({ scratch, cluster, kubelet, signal });
}
