import type { Node } from '@holdfast/kube';

export type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number];

export const outOfServiceTaint = 'node.kubernetes.io/out-of-service';

export function readyStatus(node: Node): string | undefined {
  return node.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
}

export function isReady(node: Node | undefined): boolean {
  return node !== undefined && readyStatus(node) === 'True';
}

/** An administrator's word that the node is off and will stay so. */
export function isOutOfService(node: Node | undefined): boolean {
  return node?.spec?.taints?.some(({ key }) => key === outOfServiceTaint) === true;
}
