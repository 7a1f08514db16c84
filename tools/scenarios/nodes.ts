import type { NodeSpec } from '../rig/contract.ts';

/** By which a scenario says on which node a pod is to run. */
const nodeKey = 'holdfast.test/node';

function node(name: string, zone: string): NodeSpec {
  return { name, zone, labels: { [nodeKey]: name } };
}

export const oneNode: readonly NodeSpec[] = [node('node-a', 'zone-1')];
/** Two nodes in one zone, between which a volume may move, and one in another. */
export const threeNodes: readonly NodeSpec[] = [
  node('node-a', 'zone-1'),
  node('node-b', 'zone-1'),
  node('node-c', 'zone-2'),
];

/** Each its own place: volumes never leave their node. */
export const twoIslands: readonly NodeSpec[] = ['node-a', 'node-b'].map((name) => ({
  name,
  labels: { [nodeKey]: name },
}));

/** Labels for a pod's nodeSelector. */
export function on(nodeName: string): Record<string, string> {
  return { [nodeKey]: nodeName };
}
