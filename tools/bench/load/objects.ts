// The objects that the load is made of, as users, kubelet and the attach/detach controller would write them.
import type {
  CSIDriver,
  CSINode,
  Draft,
  KubeClient,
  Node,
  PersistentVolumeClaim,
  StorageClass,
  VolumeAttachment,
  VolumeAttributesClass,
} from '@holdfast/kube';
import { csiDrivers, csiNodes, isAlreadyExists, nodes, storageClasses, volumeAttributesClasses } from '@holdfast/kube';
import type { BenchArguments } from '../arguments.ts';
import type { Driver } from './driver.ts';

export const namespace = 'default';
export const className = 'bench';
export const attributesClassName = 'bench-fast';
export const nodeName = 'bench-node';

export interface Sizes {
  readonly size: string;
  readonly grownSize: string;
}

/** A node, which no kubelet speaks for, with the driver on it, and a class of the driver's volumes. */
export async function prepareCluster(
  client: KubeClient,
  driver: Pick<Driver, 'name' | 'nodeId' | 'topology'>,
  { parameters, attributes }: Pick<BenchArguments, 'parameters' | 'attributes'>,
): Promise<void> {
  const node: Draft<Node> = { metadata: { name: nodeName, labels: { ...driver.topology } } };
  const csiNode: Draft<CSINode> = {
    metadata: { name: nodeName },
    spec: {
      drivers: [{ name: driver.name, nodeID: driver.nodeId, topologyKeys: Object.keys(driver.topology) }],
    },
  };
  const csiDriver: Draft<CSIDriver> = { metadata: { name: driver.name }, spec: { attachRequired: true } };
  const storageClass: Draft<StorageClass> = {
    metadata: { name: className },
    provisioner: driver.name,
    parameters: { ...parameters },
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'Immediate',
    allowVolumeExpansion: true,
  };
  await present(client.create(nodes, node));
  await present(client.create(csiNodes, csiNode));
  await present(client.create(csiDrivers, csiDriver));
  const attributesClass: Draft<VolumeAttributesClass> = {
    metadata: { name: attributesClassName },
    driverName: driver.name,
    parameters: { ...attributes },
  };
  await present(client.create(storageClasses, storageClass));
  await present(client.create(volumeAttributesClasses, attributesClass));
}

async function present(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

export function claimDraft(name: string, { size }: Pick<Sizes, 'size'>): Draft<PersistentVolumeClaim> {
  return {
    metadata: { name, namespace },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: className, resources: { requests: { storage: size } } },
  };
}

export function attachmentDraft(volumeName: string, driverName: string): Draft<VolumeAttachment> {
  return {
    metadata: { name: attachmentName(volumeName) },
    spec: { attacher: driverName, nodeName, source: { persistentVolumeName: volumeName } },
  };
}

export function attachmentName(volumeName: string): string {
  return `bench-${volumeName}`;
}
