import type { Snapshot as SnapshotMessage } from '@holdfast/csi-spec';
import { rpcError } from '@holdfast/rpc';
import type { Backend, Snapshot, StringMap } from './backend.ts';
import { checkMapSize } from './check-text.ts';
import { ownParameters, parseParameters } from './class-parameters.ts';

export function snapshotMessage(snapshot: Snapshot): SnapshotMessage {
  return {
    snapshotId: snapshot.id,
    sourceVolumeId: snapshot.sourceVolumeId,
    sizeBytes: snapshot.sizeBytes,
    creationTime: timestamp(snapshot.createdMs),
    readyToUse: snapshot.isReady,
    groupSnapshotId: snapshot.groupId,
    accessibleTopology: snapshot.topology.map((segments) => ({ segments: { ...segments } })),
  };
}

export function timestamp(ms: number): NonNullable<SnapshotMessage['creationTime']> {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: (ms - seconds * 1000) * 1_000_000 };
}

/** Parameters of a VolumeSnapshotClass or VolumeGroupSnapshotClass. */
export function checkSnapshotParameters(backend: Pick<Backend, 'snapshotParameters'>, given: StringMap): StringMap {
  const own = ownParameters(given);
  checkMapSize('parameters', own);
  const first = Object.keys(own)[0];
  if (first === undefined) return own;
  if (backend.snapshotParameters === undefined) {
    throw rpcError(
      'InvalidArgument',
      `unknown parameter ${JSON.stringify(first)}: remove it from the snapshot class; this driver has none`,
    );
  }
  parseParameters(backend.snapshotParameters, own, 'snapshot class');
  return own;
}
