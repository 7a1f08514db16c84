import { formatBytes } from '@holdfast/core';
import type { CapacityRange, VolumeContentSource } from '@holdfast/csi-spec';
import { rpcError } from '@holdfast/rpc';
import type { Backend, Segments, SizeRules, Snapshot, SourceId, Volume } from './backend.ts';
import { canSnapshot } from './capabilities.ts';
import { checkRange } from './capacity.ts';
import { checkId } from './check-text.ts';
import { snapshotKey, volumeKey } from './locks.ts';

/** What a new volume's content is copied from, looked up. */
export type ContentSource =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly kind: 'volume'; readonly volume: Volume };

/** @throws RpcError InvalidArgument for a source that is incomplete, or of a kind that the backend does not copy from. */
export function readSource(backend: Backend, source: VolumeContentSource | undefined): SourceId | undefined {
  if (source === undefined) return undefined;
  switch (source.type?.$case) {
    case 'snapshot': {
      if (backend.restoreSnapshot === undefined || !canSnapshot(backend)) throw unsupported('snapshot');
      const { snapshotId } = source.type.value;
      checkId('volume_content_source.snapshot.snapshot_id', snapshotId);
      return { kind: 'snapshot', id: snapshotId };
    }
    case 'volume': {
      if (backend.cloneVolume === undefined) throw unsupported('volume');
      const { volumeId } = source.type.value;
      checkId('volume_content_source.volume.volume_id', volumeId);
      return { kind: 'volume', id: volumeId };
    }
    case undefined:
      throw rpcError('InvalidArgument', 'volume_content_source is given, and names neither a snapshot nor a volume');
    default:
      return source.type satisfies never;
  }
}

function unsupported(kind: SourceId['kind']): Error {
  return rpcError(
    'InvalidArgument',
    `volume_content_source: this driver does not make volumes from a ${kind}; leave the data source out of the claim`,
  );
}

export function sourceKey({ kind, id }: SourceId): string {
  return kind === 'snapshot' ? snapshotKey(id) : volumeKey(id);
}

/** @throws RpcError NotFound, or Unavailable for a snapshot that is not ready yet. */
export async function requireSource(backend: Backend, { kind, id }: SourceId): Promise<ContentSource> {
  if (kind === 'snapshot') {
    const snapshot = await backend.findSnapshot?.(id);
    if (snapshot === undefined) throw rpcError('NotFound', `snapshot ${id} does not exist`);
    if (!snapshot.isReady) throw rpcError('Unavailable', `snapshot ${id} is not ready to use yet: try again later`);
    return { kind, snapshot };
  }
  const volume = await backend.findVolume(id);
  if (volume === undefined) throw rpcError('NotFound', `volume ${id}, which is to be copied, does not exist`);
  return { kind, volume };
}

/** What of a source bears on the volume made from it. */
export function traitsOf(source: ContentSource): {
  readonly sizeBytes: bigint;
  readonly fsType: string;
  readonly topology: readonly Segments[];
} {
  if (source.kind === 'snapshot') return source.snapshot;
  const { capacityBytes, fsType, topology } = source.volume;
  return { sizeBytes: capacityBytes, fsType, topology };
}

/**
 * A copy has its source's size where none is asked for, and never less.
 * @throws RpcError OutOfRange
 */
export function sizeRulesOver(rules: SizeRules, sourceBytes: bigint, range: CapacityRange | undefined): SizeRules {
  const { required, limit } = checkRange(range);
  const asked = limit > 0n && limit < sourceBytes ? limit : required;
  if (asked > 0n && asked < sourceBytes) {
    throw rpcError(
      'OutOfRange',
      `${formatBytes(asked)} (${asked} bytes) were asked for, the source has ${formatBytes(sourceBytes)} (${sourceBytes} bytes)`,
    );
  }
  const minimumBytes = sourceBytes > rules.minimumBytes ? sourceBytes : rules.minimumBytes;
  return { ...rules, minimumBytes, defaultBytes: minimumBytes };
}
