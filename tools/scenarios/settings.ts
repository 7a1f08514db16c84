import * as z from 'zod';
import type { ClusterKind, Maker, SidecarName } from '../rig/contract.ts';

export const sidecarsVariable = 'HOLDFAST_SIDECARS';
export const clusterVariable = 'HOLDFAST_SCENARIO_CLUSTER';

export const sidecarNames: readonly SidecarName[] = ['provisioner', 'attacher', 'resizer'];

/**
 * Reads `provisioner=upstream,resizer=ours`; who is not named is ours.
 * @throws Error that says what is wrong with it
 */
export function parseMakers(text: string): Record<SidecarName, Maker> {
  const parsed: Record<SidecarName, Maker> = { provisioner: 'ours', attacher: 'ours', resizer: 'ours' };
  for (const pair of text.split(',').filter((part) => part !== '')) {
    const [key, maker] = pair.split('=');
    const name = sidecarNames.find((candidate) => candidate === key);
    if (name === undefined) throw new Error(`there is no sidecar "${key}"; there are: ${sidecarNames.join(', ')}`);
    if (maker !== 'ours' && maker !== 'upstream') throw new Error(`${name} is "ours" or "upstream", not "${maker}"`);
    parsed[name] = maker;
  }
  return parsed;
}

/** Who wrote the sidecars of this run. */
export const makers = parseMakers(process.env[sidecarsVariable] ?? '');

const clusterReference = z.object({
  kind: z.enum(['sandbox', 'kubernetes']),
  url: z.string(),
  adminKubeconfig: z.string(),
  door: z.string(),
});
/** Where the cluster of this run is, for a process that did not start it. */
export type ClusterReference = z.infer<typeof clusterReference>;

export function readClusterReference(): ClusterReference {
  const text = process.env[clusterVariable];
  if (text === undefined) throw new Error('scenarios need a cluster: run them by npm run test:control-plane');
  return clusterReference.parse(JSON.parse(text));
}

export const clusterKinds: readonly ClusterKind[] = ['sandbox', 'kubernetes'];
