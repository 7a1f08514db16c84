import type { Logger } from '@holdfast/core';
import {
  ControllerService,
  GroupControllerService,
  IdentityService,
  NodeService,
  SnapshotMetadataService,
} from '@holdfast/csi-spec';
import { bindService, type OperationMetrics, serveUnix, type UnixServer } from '@holdfast/rpc';
import type { z } from 'zod';
import type { Backend } from './backend.ts';
import { canSnapshotGroups, canTellBlocks, type Role } from './capabilities.ts';
import { withCheckedSecrets } from './check-secrets.ts';
import { createControllerHandlers } from './controller-service.ts';
import { inTurn } from './controller-turn.ts';
import { createGroupHandlers } from './group-service.ts';
import { createIdentityHandlers } from './identity-service.ts';
import { createVolumeLocks } from './locks.ts';
import { createMetadataHandlers } from './metadata-service.ts';
import { createNodeHandlers } from './node-service.ts';

export interface DriverDeps<Schema extends z.ZodObject> {
  readonly backend: Backend<Schema>;
  /** Domain notation, at most 63 characters, as the CSIDriver object is called. */
  readonly name: string;
  readonly version: string;
  readonly role: Role;
  readonly nodeId: string;
  /** `/path`, `unix:/path` or `unix:///path`. */
  readonly address: string;
  readonly log: Logger;
  readonly metrics?: OperationMetrics;
}

/** Root's, and its group's: in a pod with an fsGroup the sidecars need not be root. */
const socketMode = 0o660;

/** A wrong name or node id, told before anything is served. */
export class DriverSetupError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DriverSetupError';
  }
}

/**
 * Prepares the backend, then serves it as a CSI driver until the returned server is stopped.
 * @throws DriverSetupError, or what the backend or the socket say.
 */
export async function serveDriver<Schema extends z.ZodObject>(deps: DriverDeps<Schema>): Promise<UnixServer> {
  const { backend, name, version, role, nodeId, address, log, metrics } = deps;
  checkDriverName(name);
  checkNode(nodeId);
  await backend.prepare?.();
  const locks = createVolumeLocks();
  const services = [bindService(IdentityService, createIdentityHandlers({ backend, name, version, role }))];
  if (role !== 'node') {
    services.push(inTurn(bindService(ControllerService, createControllerHandlers({ backend, locks })), backend));
  }
  if (role !== 'node' && canSnapshotGroups(backend)) {
    services.push(inTurn(bindService(GroupControllerService, createGroupHandlers({ backend, locks })), backend));
  }
  if (role !== 'node' && canTellBlocks(backend)) {
    services.push(bindService(SnapshotMetadataService, createMetadataHandlers({ backend, locks })));
  }
  if (role !== 'controller') services.push(bindService(NodeService, createNodeHandlers({ backend, locks, nodeId })));
  const checked = services.map(withCheckedSecrets);
  return serveUnix({
    address,
    services: checked,
    log,
    mode: socketMode,
    ...(metrics === undefined ? {} : { metrics }),
  });
}

function checkDriverName(name: string): void {
  // csi-sanity asks for a letter at the end as well, which the spec does not.
  if (!/^[a-zA-Z][A-Za-z0-9\-._]{0,61}[a-zA-Z]$/.test(name)) {
    throw new DriverSetupError(
      `driver name ${JSON.stringify(name)} is not valid: at most 63 letters, digits, "-", "." and "_", with a letter at both ends, such as disk.csi.example`,
    );
  }
}

function checkNode(nodeId: string): void {
  if (!/^[\x21-\x7e]{1,128}$/.test(nodeId)) {
    throw new DriverSetupError(
      `node id ${JSON.stringify(nodeId)} is not valid: 1 to 128 printable characters without blanks`,
    );
  }
}
