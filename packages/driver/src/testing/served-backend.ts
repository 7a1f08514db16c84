import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRecordingLogger } from '@holdfast/core/testing';
import { ControllerService, GroupControllerService, NodeService, SnapshotMetadataService } from '@holdfast/csi-spec';
import { type Role, serveDriver } from '@holdfast/driver-kit';
import { type Client, dialUnix } from '@holdfast/rpc';
import { createDirBackend } from '../dir/dir-backend.ts';
import { createDiskBackend } from '../disk/disk-backend.ts';

export interface ServedBackend {
  readonly dir: string;
  readonly pool: string;
  readonly controller: Client<ControllerService>;
  readonly group: Client<GroupControllerService>;
  readonly node: Client<NodeService>;
  readonly metadata: Client<SnapshotMetadataService>;
  readonly log: ReturnType<typeof createRecordingLogger>;
  stop(): Promise<void>;
}

export async function makeScratchFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'hf-driver-'));
}

/** A backend over a pool, served on a real socket within this process. */
export async function serveBackend(
  kind: 'dir' | 'disk',
  dir: string,
  more: {
    role?: Role;
    maxVolumesPerNode?: number;
    nodeId?: string;
    zone?: string;
    pool?: string;
    ioCgroup?: string;
  } = {},
): Promise<ServedBackend> {
  const {
    role = 'all',
    maxVolumesPerNode = 0,
    nodeId = 'node-a',
    zone = '',
    pool = join(dir, 'pool'),
    ioCgroup = '',
  } = more;
  const log = createRecordingLogger();
  const deps = { poolDir: pool, nodeId, zone, role, maxVolumesPerNode, ioCgroup, log };
  const address = join(dir, 'csi.sock');
  const common = { name: `${kind}.csi.holdfast`, version: '0', role, nodeId, address, log };
  const server =
    kind === 'dir'
      ? await serveDriver({ ...common, backend: await createDirBackend(deps) })
      : await serveDriver({ ...common, backend: await createDiskBackend(deps) });
  const connection = await dialUnix({ address, log });
  return {
    dir,
    pool,
    log,
    controller: connection.client(ControllerService),
    group: connection.client(GroupControllerService),
    node: connection.client(NodeService),
    metadata: connection.client(SnapshotMetadataService),
    stop: async () => {
      connection.close();
      await server.stop();
    },
  };
}

export async function removeScratchFolder(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true });
}
