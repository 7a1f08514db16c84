/** Labels on our CSIStorageCapacity objects; by them we find those that an earlier run, or the Go sidecar, has left. */
export const DRIVER_LABEL = 'csi.storage.k8s.io/drivername';
export const MANAGER_LABEL = 'csi.storage.k8s.io/managed-by';
export const GENERATE_NAME = 'csisc-';
export const QUEUE_NAME = 'csistoragecapacity';

const MANAGER = 'external-provisioner';
const MAX_LABEL = 63;

/** 32-bit FNV-1a (not FNV-1) in hexadecimal, which upstream shortens names with. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}

/** Who manages an object: the one provisioner of the cluster, or that of a node. */
export function managerId(nodeName: string | undefined): string {
  if (nodeName === undefined) return MANAGER;
  const name = `${MANAGER}-${nodeName}`;
  if (name.length <= MAX_LABEL) return name;
  const hashed = `-${fnv1a(MANAGER)}-`;
  // What is left for our own name beside the node's; where that is nothing, both are hashed.
  const left = MAX_LABEL - nodeName.length - hashed.length;
  if (left > 0) return `${MANAGER.slice(0, left)}${hashed}${nodeName}`;
  return `${MANAGER}-${fnv1a(name)}`;
}
