import { buildReference } from '../reference/build.ts';
import { buildBundles } from '../rig/bundles.ts';
import type { Options } from './options.ts';

const controlPlane = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

/** Builds what the run needs. @throws Error that says what this machine lacks */
export async function prepareRun({ clusters, rounds }: Options, signal: AbortSignal): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('this needs root: volumes of the driver disk are loop devices');
  const upstream = rounds.flatMap(({ makers }) =>
    Object.entries(makers).flatMap(([name, maker]) => (maker === 'upstream' ? [`csi-${name}`] : [])),
  );
  const wanted = [...(clusters.includes('kubernetes') ? controlPlane : []), ...new Set(upstream)];
  if (wanted.length > 0) {
    const { failed } = await buildReference(wanted, { say: console.log, signal });
    if (failed.length > 0) throw new Error(`not built: ${failed.join(', ')}`);
  }
  await buildBundles(signal);
}
