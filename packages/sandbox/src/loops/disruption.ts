import type { Patch, Pod } from '@holdfast/kube';

/** Says on a pod's status why the cluster takes it away; with `phase` also that it is over. */
export function disruptionPatch(
  pod: Pod,
  why: { readonly reason: string; readonly message: string },
  nowMs: number,
  phase?: 'Failed',
): Patch {
  const condition = { type: 'DisruptionTarget', status: 'True', ...why };
  const lastTransitionTime = new Date(nowMs).toISOString();
  const status = { conditions: [{ ...condition, lastTransitionTime }], ...(phase === undefined ? {} : { phase }) };
  return { kind: 'strategic', body: { metadata: { uid: pod.metadata.uid }, status } };
}
