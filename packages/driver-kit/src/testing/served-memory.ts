import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, silentLogger } from '@holdfast/core';
import {
  ControllerService,
  CreateVolumeRequest,
  type DeepPartial,
  GroupControllerService,
  IdentityService,
  VolumeCapability_AccessMode_Mode as Mode,
  NodeService,
  SnapshotMetadataService,
  VolumeCapability,
} from '@holdfast/csi-spec';
import { type Client, dialUnix } from '@holdfast/rpc';
import type { Backend } from '../backend.ts';
import { serveDriver } from '../serve-driver.ts';

export const options = { timeoutMs: 10_000 };

export const mountCapability: VolumeCapability = VolumeCapability.fromPartial({
  accessType: { $case: 'mount', value: {} },
  accessMode: { mode: Mode.SINGLE_NODE_WRITER },
});

export interface ServedKit {
  readonly identity: Client<IdentityService>;
  readonly controller: Client<ControllerService>;
  readonly group: Client<GroupControllerService>;
  readonly node: Client<NodeService>;
  readonly metadata: Client<SnapshotMetadataService>;
  create(name: string, more?: DeepPartial<CreateVolumeRequest>): ReturnType<Client<ControllerService>['createVolume']>;
  stop(): Promise<void>;
}

/** A backend served as a driver on a socket of its own. */
export async function serveKit(backend: Backend, log: Logger = silentLogger): Promise<ServedKit> {
  const dir = await mkdtemp(join(tmpdir(), 'hf-kit-'));
  const address = join(dir, 'csi.sock');
  const common = { name: 'memory.csi.example', version: '1.0', role: 'all', nodeId: 'a', log } as const;
  const server = await serveDriver({ ...common, backend, address });
  const connection = await dialUnix({ address, log: silentLogger });
  const controller = connection.client(ControllerService);
  return {
    identity: connection.client(IdentityService),
    controller,
    group: connection.client(GroupControllerService),
    node: connection.client(NodeService),
    metadata: connection.client(SnapshotMetadataService),
    create: (name, more = {}) =>
      controller.createVolume(
        CreateVolumeRequest.fromPartial({ name, volumeCapabilities: [mountCapability], ...more }),
        options,
      ),
    stop: async () => {
      connection.close();
      await server.stop();
      await rm(dir, { recursive: true });
    },
  };
}
