/**
 * The fields of the messages Go clients send as protobuf, from upstream's generated.proto: what kubectl creates by its own
 * typed clients, and what Go sidecars write. A field that is not here is not read.
 */
export type FieldType =
  | 'string'
  | 'bytes'
  /** A pointer in Go: false and 0 are said, not left out. */
  | 'bool'
  | 'int'
  /** No pointer in Go: false and 0 mean nothing was said. */
  | 'flag'
  | 'count'
  | 'time'
  | 'microTime'
  /** A message of one string. */
  | 'quantity'
  | { readonly map: 'string' | 'bytes' | 'quantity' }
  | { readonly message: () => Message }
  /** A message whose fields stand, in JSON, among those of its parent. */
  | { readonly inline: () => Message };

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly isRepeated?: boolean;
}

/** By field number. */
export type Message = Readonly<Record<number, Field>>;

export function one(name: string, type: FieldType = 'string'): Field {
  return { name, type };
}

export function many(name: string, type: FieldType = 'string'): Field {
  return { name, type, isRepeated: true };
}

const textMap = { map: 'string' } as const;

const ownerReference: Message = {
  1: one('kind'),
  3: one('name'),
  4: one('uid'),
  5: one('apiVersion'),
  6: one('controller', 'bool'),
  7: one('blockOwnerDeletion', 'bool'),
};

const objectMeta: Message = {
  1: one('name'),
  2: one('generateName'),
  3: one('namespace'),
  5: one('uid'),
  6: one('resourceVersion'),
  7: one('generation', 'count'),
  8: one('creationTimestamp', 'time'),
  9: one('deletionTimestamp', 'time'),
  10: one('deletionGracePeriodSeconds', 'int'),
  11: one('labels', textMap),
  12: one('annotations', textMap),
  13: many('ownerReferences', { message: () => ownerReference }),
  14: many('finalizers'),
};

export const metadata = one('metadata', { message: () => objectMeta });

const objectReference: Message = {
  1: one('kind'),
  2: one('namespace'),
  3: one('name'),
  4: one('uid'),
  5: one('apiVersion'),
  6: one('resourceVersion'),
  7: one('fieldPath'),
};

const secretReference: Message = { 1: one('name'), 2: one('namespace') };
const secretRef = (name: string): Field => one(name, { message: () => secretReference });

const csiSource: Message = {
  1: one('driver'),
  2: one('volumeHandle'),
  3: one('readOnly', 'flag'),
  4: one('fsType'),
  5: one('volumeAttributes', textMap),
  6: secretRef('controllerPublishSecretRef'),
  7: secretRef('nodeStageSecretRef'),
  8: secretRef('nodePublishSecretRef'),
  9: secretRef('controllerExpandSecretRef'),
  10: secretRef('nodeExpandSecretRef'),
};

const requirement: Message = { 1: one('key'), 2: one('operator'), 3: many('values') };
const requirements = (name: string): Field => many(name, { message: () => requirement });
const selectorTerm: Message = { 1: requirements('matchExpressions'), 2: requirements('matchFields') };
const nodeSelector: Message = { 1: many('nodeSelectorTerms', { message: () => selectorTerm }) };
export const labelSelector: Message = { 1: one('matchLabels', textMap), 2: requirements('matchExpressions') };

const volumeSpec: Message = {
  1: one('capacity', { map: 'quantity' }),
  2: one('', { inline: () => ({ 22: one('csi', { message: () => csiSource }) }) }),
  3: many('accessModes'),
  4: one('claimRef', { message: () => objectReference }),
  5: one('persistentVolumeReclaimPolicy'),
  6: one('storageClassName'),
  7: many('mountOptions'),
  8: one('volumeMode'),
  9: one('nodeAffinity', { message: () => ({ 1: one('required', { message: () => nodeSelector }) }) }),
  10: one('volumeAttributesClassName'),
};

const event: Message = {
  1: metadata,
  2: one('involvedObject', { message: () => objectReference }),
  3: one('reason'),
  4: one('message'),
  5: one('source', { message: () => ({ 1: one('component'), 2: one('host') }) }),
  6: one('firstTimestamp', 'time'),
  7: one('lastTimestamp', 'time'),
  8: one('count', 'count'),
  9: one('type'),
  10: one('eventTime', 'microTime'),
  11: one('series', { message: () => ({ 1: one('count', 'count'), 2: one('lastObservedTime', 'microTime') }) }),
  12: one('action'),
  13: one('related', { message: () => objectReference }),
  14: one('reportingComponent'),
  15: one('reportingInstance'),
};

const leaseSpec: Message = {
  1: one('holderIdentity'),
  2: one('leaseDurationSeconds', 'int'),
  3: one('acquireTime', 'microTime'),
  4: one('renewTime', 'microTime'),
  5: one('leaseTransitions', 'int'),
  6: one('strategy'),
  7: one('preferredHolder'),
};

const csiNodeDriver: Message = {
  1: one('name'),
  2: one('nodeID'),
  3: many('topologyKeys'),
  4: one('allocatable', { message: () => ({ 1: one('count', 'int') }) }),
};

const deleteOptions: Message = {
  1: one('gracePeriodSeconds', 'int'),
  2: one('preconditions', { message: () => ({ 1: one('uid'), 2: one('resourceVersion') }) }),
  4: one('propagationPolicy'),
  5: many('dryRun'),
};

/** By kind. */
export const messages: Readonly<Record<string, Message>> = {
  Namespace: { 1: metadata },
  Secret: {
    1: metadata,
    2: one('data', { map: 'bytes' }),
    3: one('type'),
    4: one('stringData', textMap),
    5: one('immutable', 'bool'),
  },
  ConfigMap: {
    1: metadata,
    2: one('data', textMap),
    3: one('binaryData', { map: 'bytes' }),
    4: one('immutable', 'bool'),
  },
  ServiceAccount: { 1: metadata, 4: one('automountServiceAccountToken', 'bool') },
  PersistentVolume: { 1: metadata, 2: one('spec', { message: () => volumeSpec }) },
  Event: event,
  Lease: { 1: metadata, 2: one('spec', { message: () => leaseSpec }) },
  VolumeAttachment: {
    1: metadata,
    2: one('spec', {
      message: () => ({
        1: one('attacher'),
        2: one('source', { message: () => ({ 1: one('persistentVolumeName') }) }),
        3: one('nodeName'),
      }),
    }),
  },
  CSINode: {
    1: metadata,
    2: one('spec', { message: () => ({ 1: many('drivers', { message: () => csiNodeDriver }) }) }),
  },
  CSIStorageCapacity: {
    1: metadata,
    2: one('nodeTopology', { message: () => labelSelector }),
    3: one('storageClassName'),
    4: one('capacity', 'quantity'),
    5: one('maximumVolumeSize', 'quantity'),
  },
  DeleteOptions: deleteOptions,
};
