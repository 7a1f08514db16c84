import { describe, expect, it } from 'vitest';
import { type ClaimView, decideClaim } from './decide.ts';
import type { CreatedVolume } from './driver-reply.ts';
import { claimOf, classOf, driverName, noTopology, rules, traits } from './testing/objects.ts';
import { type VolumeMaker, volumeObject } from './volume-object.ts';

const maker: VolumeMaker = {
  driverName,
  identity: 'me',
  hasTopology: true,
  attacherFinalizer: 'external-attacher/disk-csi-example',
};
const created: CreatedVolume = { volumeId: 'vol-1', capacityBytes: 2n ** 31n, volumeContext: {}, topologies: [] };

function objectOf(view: Partial<ClaimView> = {}, made: Partial<CreatedVolume> = {}, by: Partial<VolumeMaker> = {}) {
  const step = decideClaim(
    {
      claim: claimOf(),
      storageClass: classOf(),
      volume: undefined,
      progress: undefined,
      infeasible: undefined,
      ...view,
    },
    { driver: traits, rules, cluster: noTopology },
  );
  if (step.kind !== 'create') throw new Error(step.reason);
  return volumeObject(step.plan, { ...created, ...made }, { ...maker, ...by });
}

describe('volumeObject', () => {
  it('is born with all it needs', () => {
    const volume = objectOf();
    expect(volume.metadata).toEqual({
      name: 'pvc-uid-data',
      finalizers: ['external-provisioner.volume.kubernetes.io/finalizer', 'external-attacher/disk-csi-example'],
      annotations: {
        'pv.kubernetes.io/provisioned-by': driverName,
        'volume.kubernetes.io/provisioner-deletion-secret-name': '',
        'volume.kubernetes.io/provisioner-deletion-secret-namespace': '',
      },
    });
    expect(volume.spec).toEqual({
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '2Gi' },
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        name: 'data',
        namespace: 'team-a',
        uid: 'uid-data',
        resourceVersion: '1',
      },
      csi: {
        driver: driverName,
        volumeHandle: 'vol-1',
        volumeAttributes: { 'storage.kubernetes.io/csiProvisionerIdentity': 'me' },
      },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: 'fast',
    });
  });

  it('keeps nothing back from deletion when it is to be retained', () => {
    const storageClass = classOf({ reclaimPolicy: 'Retain' });
    const volume = objectOf({ storageClass }, {}, { attacherFinalizer: undefined });
    expect(volume.metadata.finalizers).toBeUndefined();
    expect(volume.spec?.persistentVolumeReclaimPolicy).toBe('Retain');
  });

  it('takes the requested size when the driver does not tell', () => {
    expect(objectOf({}, { capacityBytes: 0n }).spec?.capacity).toEqual({ storage: '1Gi' });
  });

  it('lets the driver’s context win over our identity', () => {
    const volumeContext = { 'storage.kubernetes.io/csiProvisionerIdentity': 'driver', pool: 'a' };
    expect(objectOf({}, { volumeContext }).spec?.csi?.volumeAttributes).toEqual(volumeContext);
  });

  it('is reachable from any one of the driver’s places', () => {
    const topologies = [{ zone: 'z1', rack: 'r1' }, {}, { zone: 'z2' }];
    expect(objectOf({}, { topologies }).spec?.nodeAffinity).toEqual({
      required: {
        nodeSelectorTerms: [
          {
            matchExpressions: [
              { key: 'zone', operator: 'In', values: ['z1'] },
              { key: 'rack', operator: 'In', values: ['r1'] },
            ],
          },
          { matchExpressions: [{ key: 'zone', operator: 'In', values: ['z2'] }] },
        ],
      },
    });
  });

  it('has no affinity rather than one without terms, nor one for a driver without topology', () => {
    expect(objectOf({}, { topologies: [{}] }).spec?.nodeAffinity).toBeUndefined();
    expect(objectOf({}, { topologies: [{ zone: 'z1' }] }, { hasTopology: false }).spec?.nodeAffinity).toBeUndefined();
  });

  it('refers to secrets where each of their users looks', () => {
    const storageClass = classOf({
      parameters: { 'csi.storage.k8s.io/secret-name': 's', 'csi.storage.k8s.io/secret-namespace': 'n' },
      mountOptions: ['noatime'],
    });
    const volume = objectOf({ storageClass, claim: claimOf({ volumeMode: 'Filesystem' }) });
    const ref = { name: 's', namespace: 'n' };
    expect(volume.spec?.csi).toMatchObject({
      controllerPublishSecretRef: ref,
      nodeStageSecretRef: ref,
      nodePublishSecretRef: ref,
      controllerExpandSecretRef: ref,
      nodeExpandSecretRef: ref,
    });
    expect(volume.metadata.annotations).toMatchObject({
      'volume.kubernetes.io/provisioner-deletion-secret-name': 's',
      'volume.kubernetes.io/provisioner-deletion-secret-namespace': 'n',
      'volume.kubernetes.io/controller-modify-secret-name': 's',
      'volume.kubernetes.io/controller-modify-secret-namespace': 'n',
    });
    expect(volume.spec).toMatchObject({ mountOptions: ['noatime'], volumeMode: 'Filesystem' });
  });
});
