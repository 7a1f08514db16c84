import type { VolumeContentSource, Volume as VolumeMessage } from '@holdfast/csi-spec';
import { rpcError } from '@holdfast/rpc';
import type { Backend, SourceId, Volume } from './backend.ts';
import type { Decision } from './decide.ts';

export function volumeMessage(volume: Volume): VolumeMessage {
  return {
    volumeId: volume.id,
    capacityBytes: volume.capacityBytes,
    volumeContext: { ...volume.context },
    contentSource: volume.source === undefined ? undefined : sourceMessage(volume.source),
    accessibleTopology: volume.topology.map((segments) => ({ segments: { ...segments } })),
  };
}

function sourceMessage({ kind, id }: SourceId): VolumeContentSource {
  return kind === 'snapshot'
    ? { type: { $case: 'snapshot', value: { snapshotId: id } } }
    : { type: { $case: 'volume', value: { volumeId: id } } };
}

export function publishedNodeIds(volume: Volume): string[] {
  return volume.attachments.map((attachment) => attachment.nodeId);
}

/** @throws RpcError NotFound */
export async function requireVolume(backend: Backend, id: string): Promise<Volume> {
  const volume = await backend.findVolume(id);
  if (volume === undefined) throw rpcError('NotFound', `volume ${id} does not exist`);
  return volume;
}

/** @throws RpcError when the decision is a refusal. @returns whether there is still something to do. */
export function mustProceed(decision: Decision): boolean {
  switch (decision.kind) {
    case 'proceed':
      return true;
    case 'done':
      return false;
    case 'refuse':
      throw rpcError(decision.code, decision.message);
    default:
      return decision satisfies never;
  }
}
