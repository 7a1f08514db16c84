import type { CapacityRange, TopologyRequirement } from '@holdfast/csi-spec';
import type { RpcCode } from '@holdfast/rpc';
import type {
  Access,
  AccessMode,
  GroupSnapshot,
  NodeLoad,
  Publication,
  Snapshot,
  SourceId,
  StringMap,
  Volume,
} from './backend.ts';
import { isWithin } from './capacity.ts';
import { isSingleNode } from './check-access.ts';
import { meetsRequirement } from './topology.ts';

export type Decision =
  | { readonly kind: 'proceed' }
  | { readonly kind: 'done' }
  | { readonly kind: 'refuse'; readonly code: RpcCode; readonly message: string };

function refuse(code: RpcCode, message: string): Decision {
  return { kind: 'refuse', code, message };
}

/** Whether a volume with the same name is the one that is asked for. */
export function decideExisting(
  volume: Volume,
  asked: {
    readonly range: CapacityRange | undefined;
    readonly parameters: StringMap;
    readonly fsType: string;
    readonly topology: TopologyRequirement | undefined;
    readonly source: SourceId | undefined;
  },
): Decision {
  const differences = [
    describeSource(volume.source) === describeSource(asked.source)
      ? ''
      : `it was made ${describeSource(volume.source)}, not ${describeSource(asked.source)}`,
    isWithin(volume.capacityBytes, asked.range) ? '' : `its size is ${volume.capacityBytes} bytes`,
    isSameMap(volume.parameters, asked.parameters) ? '' : 'its class parameters differ',
    volume.fsType === asked.fsType ? '' : `its file system is ${volume.fsType}`,
    meetsRequirement(volume.topology, asked.topology) ? '' : 'it lies elsewhere',
  ].filter((difference) => difference !== '');
  if (differences.length === 0) return { kind: 'done' };
  return refuse('AlreadyExists', `volume ${volume.id} exists under this name, but ${differences.join(' and ')}`);
}

function describeSource(source: SourceId | undefined): string {
  return source === undefined ? 'empty' : `from ${source.kind} ${source.id}`;
}

/** CreateSnapshot, CSI spec: the same name and source is the same snapshot. */
export function decideExistingSnapshot(snapshot: Snapshot, sourceVolumeId: string): Decision {
  if (snapshot.groupId !== '') {
    return refuse(
      'AlreadyExists',
      `snapshot ${snapshot.id} exists under this name, as part of group ${snapshot.groupId}`,
    );
  }
  if (snapshot.sourceVolumeId === sourceVolumeId) return { kind: 'done' };
  return refuse(
    'AlreadyExists',
    `snapshot ${snapshot.id} exists under this name, of volume ${snapshot.sourceVolumeId} and not of ${sourceVolumeId}`,
  );
}

/** CreateVolumeGroupSnapshot, CSI spec: the same name and set of volumes is the same group. */
export function decideExistingGroup(group: GroupSnapshot, volumeIds: readonly string[]): Decision {
  const has = group.snapshots.map((snapshot) => snapshot.sourceVolumeId);
  if (has.length === volumeIds.length && has.every((id) => volumeIds.includes(id))) return { kind: 'done' };
  return refuse('AlreadyExists', `group snapshot ${group.id} exists under this name, of volumes ${has.join(', ')}`);
}

function isSameMap(a: StringMap, b: StringMap): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

/** ControllerPublishVolume, CSI spec. */
export function decideAttach(
  volume: Volume,
  asked: { readonly nodeId: string; readonly isReadOnly: boolean; readonly mode: AccessMode },
  node: NodeLoad | undefined,
): Decision {
  const { nodeId, isReadOnly, mode } = asked;
  if (node === undefined) {
    return refuse('NotFound', `node ${nodeId} is not known to this driver: its node plug-in has not registered`);
  }
  const here = volume.attachments.find((attachment) => attachment.nodeId === nodeId);
  if (here !== undefined) {
    if (here.isReadOnly === isReadOnly) return { kind: 'done' };
    const [is, wanted] = here.isReadOnly ? ['read-only', 'writable'] : ['writable', 'read-only'];
    return refuse('AlreadyExists', `volume ${volume.id} is attached to node ${nodeId} ${is}, not ${wanted}`);
  }
  const elsewhere = volume.attachments[0];
  if (elsewhere !== undefined && isSingleNode(mode)) {
    return refuse(
      'FailedPrecondition',
      `volume ${volume.id} is attached to node ${elsewhere.nodeId}: detach it there first`,
    );
  }
  if (node.maxVolumes > 0 && node.attachedVolumes >= node.maxVolumes) {
    return refuse(
      'ResourceExhausted',
      `node ${nodeId} has ${node.attachedVolumes} volumes attached, its limit is ${node.maxVolumes}`,
    );
  }
  return { kind: 'proceed' };
}

// Of the single-node modes SINGLE_NODE_MULTI_WRITER alone may have several targets.
const oneTargetModes: readonly AccessMode[] = ['SINGLE_NODE_SINGLE_WRITER', 'SINGLE_NODE_READER_ONLY'];

/**
 * NodePublishVolume's truth table, CSI spec. One cell is let pass: a second target of SINGLE_NODE_WRITER, because kubelet publishes one
 * ReadWriteOnce volume to every pod of its node.
 */
export function decidePublish(
  volumeId: string,
  asked: { readonly targetPath: string; readonly isReadOnly: boolean; readonly access: Access },
  publications: readonly Publication[],
): Decision {
  const here = publications.find((publication) => publication.targetPath === asked.targetPath);
  if (here !== undefined) {
    if (here.isReadOnly === asked.isReadOnly && here.kind === asked.access.kind) return { kind: 'done' };
    return refuse(
      'AlreadyExists',
      `volume ${volumeId} is published at ${asked.targetPath} as ${here.kind}, ${here.isReadOnly ? 'read-only' : 'writable'}: unpublish it first`,
    );
  }
  const elsewhere = publications[0];
  if (elsewhere !== undefined && oneTargetModes.includes(asked.access.mode)) {
    return refuse(
      'FailedPrecondition',
      `volume ${volumeId} may be in one place only (${asked.access.mode}) and is published at ${elsewhere.targetPath}: unpublish it there first`,
    );
  }
  return { kind: 'proceed' };
}
