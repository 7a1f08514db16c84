import { parseQuantity, quantityToBytes } from '@holdfast/core';
import type { CSIStorageCapacity, Node, PersistentVolumeClaim, StorageClass } from '@holdfast/kube';
import { matchesLabels } from '../selectors.ts';

/** What drivers that tell how much room they have (`storageCapacity` of the CSIDriver) have told. */
export interface StorageRoom {
  readonly drivers: ReadonlySet<string>;
  readonly capacities: readonly CSIStorageCapacity[];
}

/** Whether a volume for the claim can be made at the node, as far as is known: kube-scheduler's rule. */
export function hasRoom(
  { drivers, capacities }: StorageRoom,
  wanted: { readonly claim: PersistentVolumeClaim; readonly storageClass: StorageClass; readonly node: Node },
): boolean {
  const { claim, storageClass, node } = wanted;
  const request = claim.spec?.resources?.requests?.['storage'];
  if (request === undefined || !drivers.has(storageClass.provisioner)) return true;
  const wantedBytes = bytes(request);
  return capacities.some(
    ({ storageClassName, nodeTopology, capacity, maximumVolumeSize = capacity }) =>
      storageClassName === storageClass.metadata.name &&
      maximumVolumeSize !== undefined &&
      bytes(maximumVolumeSize) >= wantedBytes &&
      // Without a selector it is of no node.
      nodeTopology !== undefined &&
      matchesLabels(nodeTopology, node.metadata.labels),
  );
}

function bytes(quantity: string): bigint {
  return quantityToBytes(parseQuantity(quantity));
}
