/** `snapshot.storage.k8s.io/v1`, as the definitions of external-snapshotter 8.4 have it. */
export const snapshots = `
VolumeSnapshot
  apiVersion string, kind string, metadata ObjectMeta, spec! VolumeSnapshotSpec, status VolumeSnapshotStatus
VolumeSnapshotClass
  apiVersion string, deletionPolicy! string, driver! string, kind string, metadata ObjectMeta,
  parameters map[string]string
VolumeSnapshotContent
  apiVersion string, kind string, metadata ObjectMeta, spec! VolumeSnapshotContentSpec, status VolumeSnapshotContentStatus
VolumeSnapshotContentSource
  snapshotHandle string, volumeHandle string
VolumeSnapshotContentSpec
  deletionPolicy! string, driver! string, source! VolumeSnapshotContentSource, sourceVolumeMode string,
  volumeSnapshotClassName string, volumeSnapshotRef! ObjectReference
VolumeSnapshotContentStatus
  creationTime int64, error VolumeSnapshotError, readyToUse bool, restoreSize int64, snapshotHandle string,
  volumeGroupSnapshotHandle string
VolumeSnapshotError
  message string, time time
VolumeSnapshotSource
  persistentVolumeClaimName string, volumeSnapshotContentName string
VolumeSnapshotSpec
  source! VolumeSnapshotSource, volumeSnapshotClassName string
VolumeSnapshotStatus
  boundVolumeSnapshotContentName string, creationTime time, error VolumeSnapshotError, readyToUse bool,
  restoreSize quantity, volumeGroupSnapshotName string
`;

/** `gateway.networking.k8s.io/v1beta1`: of the Gateway API, what permits a claim to be filled from another namespace. */
export const gateway = `
ReferenceGrant
  apiVersion string, kind string, metadata ObjectMeta, spec ReferenceGrantSpec
ReferenceGrantFrom
  group! string, kind! string, namespace! string
ReferenceGrantSpec
  from! []ReferenceGrantFrom, to! []ReferenceGrantTo
ReferenceGrantTo
  group! string, kind! string, name string
`;
