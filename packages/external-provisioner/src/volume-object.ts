import { formatBytes } from '@holdfast/core';
import type { Draft, PersistentVolume } from '@holdfast/kube';
import { MigrationError, volumeToInTree } from '@holdfast/migration';
import type { CreatedVolume } from './driver-reply.ts';
import type { DriverTraits } from './driver-traits.ts';
import { annotations, IDENTITY_ATTRIBUTE, VOLUME_FINALIZER } from './names.ts';
import type { VolumePlan } from './plan.ts';
import type { SecretRef } from './secret-refs.ts';

export type NodeAffinity = NonNullable<PersistentVolume['spec']>['nodeAffinity'];

export interface VolumeMaker extends Pick<DriverTraits, 'plugin'> {
  readonly driverName: string;
  /** Names this process in the volume's attributes. */
  readonly identity: string;
  readonly hasTopology: boolean;
  /** Set when csi-attacher will want its finalizer on the volume; then the volume is born with it. */
  readonly attacherFinalizer: string | undefined;
}

/**
 * The PersistentVolume of a created volume, for the class of an in-tree plug-in as the plug-in would have written it.
 * @throws MigrationError
 */
export function volumeObject(plan: VolumePlan, created: CreatedVolume, maker: VolumeMaker): Draft<PersistentVolume> {
  const volume = csiVolumeObject(plan, created, maker);
  if (!plan.isMigrated) return volume;
  const { plugin, driverName } = maker;
  if (plugin === undefined) throw new MigrationError(`driver ${driverName} took the place of no in-tree plug-in`);
  const { metadata, ...rest } = volumeToInTree(plugin, volume);
  const marks = {
    [annotations.provisionedBy]: plugin.inTreeName,
    // kube-controller-manager would write it; without it, csi-attacher would take its finalizer off again.
    [annotations.migratedTo]: driverName,
  };
  return { ...rest, metadata: { ...metadata, annotations: { ...metadata.annotations, ...marks } } };
}

/**
 * The PersistentVolume of a created volume, with everything it will ever need, so that one write is enough.
 * A volume that is to be retained does not get our finalizer: there is nothing to delete before it may vanish.
 */
function csiVolumeObject(plan: VolumePlan, created: CreatedVolume, maker: VolumeMaker): Draft<PersistentVolume> {
  const { claim, storageClass, secretRefs } = plan;
  const deletion = secretRefs.provisioner;
  const finalizers = [
    ...(storageClass.reclaimPolicy === 'Delete' ? [VOLUME_FINALIZER] : []),
    ...(maker.attacherFinalizer === undefined ? [] : [maker.attacherFinalizer]),
  ];
  const nodeAffinity = maker.hasTopology ? nodeAffinityOf(created) : undefined;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: plan.volumeName,
      ...(finalizers.length > 0 ? { finalizers } : {}),
      annotations: {
        [annotations.provisionedBy]: maker.driverName,
        [annotations.deletionSecretName]: deletion?.name ?? '',
        [annotations.deletionSecretNamespace]: deletion?.namespace ?? '',
        ...modifyAnnotations(secretRefs['controller-modify']),
      },
    },
    spec: {
      accessModes: [...(claim.spec?.accessModes ?? [])],
      capacity: { storage: formatBytes(created.capacityBytes > 0n ? created.capacityBytes : plan.requestedBytes) },
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        name: claim.metadata.name,
        ...(claim.metadata.namespace === undefined ? {} : { namespace: claim.metadata.namespace }),
        uid: claim.metadata.uid,
        resourceVersion: claim.metadata.resourceVersion,
      },
      csi: {
        driver: maker.driverName,
        volumeHandle: created.volumeId,
        volumeAttributes: { [IDENTITY_ATTRIBUTE]: maker.identity, ...created.volumeContext },
        ...(plan.fsType === '' ? {} : { fsType: plan.fsType }),
        ...(plan.isReadOnly ? { readOnly: true } : {}),
        ...secretField('controllerPublishSecretRef', secretRefs['controller-publish']),
        ...secretField('nodeStageSecretRef', secretRefs['node-stage']),
        ...secretField('nodePublishSecretRef', secretRefs['node-publish']),
        ...secretField('controllerExpandSecretRef', secretRefs['controller-expand']),
        ...secretField('nodeExpandSecretRef', secretRefs['node-expand']),
      },
      ...(storageClass.mountOptions.length > 0 ? { mountOptions: [...storageClass.mountOptions] } : {}),
      ...(nodeAffinity === undefined ? {} : { nodeAffinity }),
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy,
      storageClassName: storageClass.name,
      ...(plan.attributesClass === undefined ? {} : { volumeAttributesClassName: plan.attributesClass }),
      ...(claim.spec?.volumeMode === undefined ? {} : { volumeMode: claim.spec.volumeMode }),
    },
  };
}

function modifyAnnotations(ref: SecretRef | undefined): Record<string, string> {
  if (ref === undefined) return {};
  return { [annotations.modifySecretName]: ref.name, [annotations.modifySecretNamespace]: ref.namespace };
}

type SecretField =
  | 'controllerPublishSecretRef'
  | 'nodeStageSecretRef'
  | 'nodePublishSecretRef'
  | 'controllerExpandSecretRef'
  | 'nodeExpandSecretRef';

function secretField(field: SecretField, ref: SecretRef | undefined): { [K in SecretField]?: SecretRef } {
  return ref === undefined ? {} : { [field]: ref };
}

/**
 * One term per place the driver named, any of which will do. A place without segments says nothing; an affinity without
 * terms would be invalid.
 */
function nodeAffinityOf(created: CreatedVolume): NodeAffinity {
  const nodeSelectorTerms = created.topologies
    .filter((segments) => Object.keys(segments).length > 0)
    .map((segments) => ({
      matchExpressions: Object.entries(segments).map(([key, value]) => ({ key, operator: 'In', values: [value] })),
    }));
  return nodeSelectorTerms.length === 0 ? undefined : { required: { nodeSelectorTerms } };
}
