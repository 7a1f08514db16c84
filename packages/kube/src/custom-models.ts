// What client-node has no types for: kinds of CustomResourceDefinitions, as far as sidecars read them.

export interface VolumeSnapshotModel {
  apiVersion?: string;
  kind?: string;
  metadata?: object;
  spec: {
    source: { persistentVolumeClaimName?: string; volumeSnapshotContentName?: string };
    volumeSnapshotClassName?: string;
  };
  status?: {
    boundVolumeSnapshotContentName?: string;
    creationTime?: string;
    readyToUse?: boolean;
    /** A quantity. */
    restoreSize?: string;
    error?: { message?: string; time?: string };
  };
}

export interface VolumeSnapshotContentModel {
  apiVersion?: string;
  kind?: string;
  metadata?: object;
  spec: {
    deletionPolicy: string;
    driver: string;
    source: { snapshotHandle?: string; volumeHandle?: string };
    sourceVolumeMode?: string;
    volumeSnapshotClassName?: string;
    volumeSnapshotRef: { name?: string; namespace?: string; uid?: string };
  };
  status?: { readyToUse?: boolean; restoreSize?: number; snapshotHandle?: string };
}

export interface ReferenceGrantModel {
  apiVersion?: string;
  kind?: string;
  metadata?: object;
  spec?: {
    from: { group: string; kind: string; namespace: string }[];
    to: { group: string; kind: string; name?: string }[];
  };
}
