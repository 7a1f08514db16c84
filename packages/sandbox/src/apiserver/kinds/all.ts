import type { Kind } from '../kind.ts';
import { volumeAttachments } from './attachments.ts';
import { claims } from './claims.ts';
import { storageClasses, volumeAttributesClasses } from './classes.ts';
import { configMaps, namespaces, secrets, serviceAccounts } from './core.ts';
import { csiDrivers, csiNodes, csiStorageCapacities } from './csi.ts';
import { events } from './events.ts';
import { referenceGrants } from './gateway.ts';
import { leases } from './leases.ts';
import { nodes } from './nodes.ts';
import { pods } from './pods.ts';
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from './rbac.ts';
import { services } from './services.ts';
import { volumeSnapshotClasses, volumeSnapshotContents, volumeSnapshots } from './snapshots.ts';
import { volumes } from './volumes.ts';

/** Every kind the server serves. To add one, write it beside these and name it here. */
export const allKinds: readonly Kind[] = [
  namespaces,
  nodes,
  pods,
  claims,
  volumes,
  secrets,
  configMaps,
  events,
  serviceAccounts,
  services,
  storageClasses,
  volumeAttachments,
  csiNodes,
  csiDrivers,
  csiStorageCapacities,
  volumeAttributesClasses,
  leases,
  volumeSnapshots,
  volumeSnapshotContents,
  volumeSnapshotClasses,
  referenceGrants,
  clusterRoleBindings,
  clusterRoles,
  roleBindings,
  roles,
];
