import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKubeClient, loadKubeConfig } from '@holdfast/kube';
import { parseAllDocuments, stringify } from 'yaml';
import * as z from 'zod';
import type { SidecarName } from '../rig/contract.ts';
import { sidecarNamespace } from './capture.ts';
import type { Scene } from './scene.ts';
import { found, notYet } from './world.ts';

const shipped = join(import.meta.dirname, '..', '..', 'deploy', 'chart', 'rbac');

const rule = z.object({ apiGroups: z.array(z.string()), resources: z.array(z.string()), verbs: z.array(z.string()) });
const clusterRole = z.looseObject({ kind: z.literal('ClusterRole'), rules: z.array(rule) });
const review = z.object({ status: z.object({ allowed: z.boolean().default(false) }) });

export interface Right {
  readonly sidecar: SidecarName;
  readonly verb: string;
  readonly group: string;
  /** With its subresource: `volumeattachments/status`. */
  readonly resource: string;
}

/** Applies a copy of what deploy/ ships that lacks one verb of one resource, and waits until the server knows it. */
export async function takeRuleAway(scene: Scene, right: Right): Promise<void> {
  let taken = 0;
  for (const document of readShipped(right.sidecar)) {
    const role = clusterRole.safeParse(document);
    if (!role.success) continue;
    const rules = role.data.rules.map((given) => {
      if (!given.apiGroups.includes(right.group) || !given.resources.includes(right.resource)) return given;
      taken += 1;
      return { ...given, verbs: given.verbs.filter((verb) => verb !== right.verb) };
    });
    await scene.rig.cluster.apply(stringify({ ...role.data, rules: rules.filter(({ verbs }) => verbs.length > 0) }));
  }
  if (taken === 0) throw new Error(`deploy/chart/rbac gives the ${right.sidecar} no rule for ${right.resource}`);
  await seeAllowed(scene, right, false);
}

export async function giveBackRules({ rig }: Scene, sidecar: SidecarName): Promise<void> {
  await rig.cluster.apply(readFileSync(fileOf(sidecar), 'utf8'));
}

/** Rules take effect once the server's own watch has seen them. */
async function seeAllowed({ rig, world }: Scene, right: Right, isAllowed: boolean): Promise<void> {
  const kubeconfig = await rig.cluster.serviceAccountKubeconfig(sidecarNamespace, `csi-${right.sidecar}`);
  const config = await loadKubeConfig({ kubeconfig, env: {} });
  const client = createKubeClient({ config, userAgent: 'rig/scenarios' });
  const [resource = '', subresource = ''] = right.resource.split('/');
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { verb: right.verb, group: right.group, resource, subresource } },
  };
  await world.until({
    what: `the ${right.sidecar} to be ${isAllowed ? 'allowed' : 'refused'} ${right.verb} ${right.resource}`,
    look: async () => {
      const reply = await client.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', body);
      const { allowed } = review.parse(reply.body).status;
      return allowed === isAllowed ? found(true) : notYet(`allowed: ${allowed}`);
    },
  });
}

function readShipped(sidecar: SidecarName): unknown[] {
  return parseAllDocuments(readFileSync(fileOf(sidecar), 'utf8')).map((document): unknown => document.toJS());
}

function fileOf(sidecar: SidecarName): string {
  return join(shipped, `csi-${sidecar}.yaml`);
}
