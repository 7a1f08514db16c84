// A process that serves one watch of PersistentVolumes, as an API server does: the objects, a bookmark, and on demand changes to
// them. All of it is made beforehand, so that what is measured is who reads it.
import { createServer } from 'node:http';

const [objects = 0, changes = 0] = process.argv.slice(2).map(Number);

function volume(index: number, resourceVersion: number): object {
  const name = `pvc-${index.toString(16).padStart(8, '0')}-1111-4222-8333-444444444444`;
  return {
    kind: 'PersistentVolume',
    apiVersion: 'v1',
    metadata: {
      name,
      uid: `u${name.slice(4)}`,
      resourceVersion: String(resourceVersion),
      creationTimestamp: '2026-01-01T00:00:00Z',
      annotations: {
        'pv.kubernetes.io/provisioned-by': 'disk.csi.holdfast',
        'volume.kubernetes.io/provisioner-deletion-secret-name': '',
        'volume.kubernetes.io/provisioner-deletion-secret-namespace': '',
      },
      finalizers: ['external-provisioner.volume.kubernetes.io/finalizer', 'kubernetes.io/pv-protection'],
      managedFields: ['csi-provisioner', 'kube-controller-manager', 'csi-attacher'].map((manager) => ({
        manager,
        operation: 'Update',
        apiVersion: 'v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': {
            'f:annotations': { '.': {}, 'f:pv.kubernetes.io/provisioned-by': {} },
            'f:finalizers': { '.': {} },
          },
          'f:spec': {
            'f:accessModes': {},
            'f:capacity': { '.': {}, 'f:storage': {} },
            'f:csi': { '.': {}, 'f:driver': {} },
          },
        },
      })),
    },
    spec: {
      capacity: { storage: '1Gi' },
      csi: {
        driver: 'disk.csi.holdfast',
        volumeHandle: `vol-${name}`,
        fsType: 'ext4',
        volumeAttributes: { index: String(index) },
      },
      accessModes: ['ReadWriteOnce'],
      claimRef: {
        kind: 'PersistentVolumeClaim',
        namespace: 'default',
        name: `claim-${index}`,
        uid: name.slice(4),
        apiVersion: 'v1',
      },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: 'bench',
      volumeMode: 'Filesystem',
    },
    status: { phase: 'Bound', lastPhaseTransitionTime: '2026-01-01T00:00:00Z' },
  };
}

const line = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;
const list = Buffer.from(
  Array.from({ length: objects }, (_, index) => line('ADDED', volume(index, index + 1))).join('') +
    line('BOOKMARK', {
      kind: 'PersistentVolume',
      apiVersion: 'v1',
      metadata: { resourceVersion: String(objects), annotations: { 'k8s.io/initial-events-end': 'true' } },
    }),
);
const stream = Buffer.from(
  Array.from({ length: changes }, (_, index) => line('MODIFIED', volume(index % objects, objects + index + 1))).join(
    '',
  ),
);

const server = createServer((_request, response) => {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.write(list);
  process.once('message', () => response.write(stream));
});
server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
