import { compareQuantities, parseQuantity } from '@holdfast/core';
import { ageColumn, column, nameColumn, phaseOf, shortAccessModes, textColumn } from '../columns.ts';
import type { FieldError } from '../field-errors.ts';
import { forbiddenField, immutable, invalidValue, notSupported, required } from '../field-errors.ts';
import type { JsonObject } from '../json.ts';
import { ensureObject, equalJson, listAt, objectAt, setDefault, stringAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import type { ApiObject } from '../objects.ts';
import { addFinalizer, validateAccessModes } from './volume-rules.ts';

const sources = [
  'awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk glusterfs',
  'hostPath iscsi local nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume',
].flatMap((line) => line.split(' '));

// A CSI source's references for later node calls may change; the rest of a source may not (ValidatePersistentVolumeUpdate).
const changeableSecrets = ['controllerExpandSecretRef', 'nodeExpandSecretRef'];

function sourceOf(spec: JsonObject): JsonObject {
  const source: JsonObject = {};
  for (const name of sources) if (spec[name] !== undefined) source[name] = spec[name];
  const csi = objectAt(source, 'csi');
  if (csi !== undefined) {
    const kept = { ...csi };
    for (const name of changeableSecrets) delete kept[name];
    source['csi'] = kept;
  }
  return source;
}

function validateCsi(csi: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  if ((stringAt(csi, 'driver') ?? '') === '') errors.push(required('spec.csi.driver'));
  if ((stringAt(csi, 'volumeHandle') ?? '') === '') errors.push(required('spec.csi.volumeHandle'));
  for (const name of [
    'controllerPublishSecretRef',
    'nodePublishSecretRef',
    'nodeStageSecretRef',
    ...changeableSecrets,
  ]) {
    if (csi[name] === undefined) continue;
    if (stringAt(csi, name, 'name') === undefined) errors.push(required(`spec.csi.${name}.name`));
    if (stringAt(csi, name, 'namespace') === undefined) errors.push(required(`spec.csi.${name}.namespace`));
  }
  return errors;
}

function validate(volume: ApiObject): FieldError[] {
  const spec = objectAt(volume, 'spec');
  if (spec === undefined) return [required('spec')];
  const errors = validateAccessModes('spec.accessModes', listAt(spec, 'accessModes'));
  const capacity = stringAt(spec, 'capacity', 'storage');
  if (capacity === undefined) errors.push(required('spec.capacity'));
  else if (compareQuantities(parseQuantity(capacity), parseQuantity('0')) <= 0) {
    errors.push(invalidValue('spec.capacity[storage]', capacity, 'must be greater than zero'));
  }
  const policy = stringAt(spec, 'persistentVolumeReclaimPolicy');
  if (policy !== undefined && !['Delete', 'Recycle', 'Retain'].includes(policy)) {
    errors.push(notSupported('spec.persistentVolumeReclaimPolicy', policy, ['Delete', 'Recycle', 'Retain']));
  }
  const given = sources.filter((name) => spec[name] !== undefined);
  if (given.length === 0) errors.push(required('spec', 'must specify a volume type'));
  for (const extra of given.slice(1))
    errors.push(forbiddenField(`spec.${extra}`, 'may not specify more than 1 volume type'));
  const csi = objectAt(spec, 'csi');
  if (csi !== undefined) errors.push(...validateCsi(csi));
  const mode = stringAt(spec, 'volumeMode');
  if (mode !== undefined && mode !== 'Block' && mode !== 'Filesystem') {
    errors.push(notSupported('spec.volumeMode', mode, ['Block', 'Filesystem']));
  }
  return errors;
}

function validateUpdate(next: ApiObject, previous: ApiObject): FieldError[] {
  const before = objectAt(previous, 'spec') ?? {};
  const after = objectAt(next, 'spec') ?? {};
  const errors: FieldError[] = [];
  if (!equalJson(sourceOf(before), sourceOf(after))) {
    errors.push(
      forbiddenField('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'),
    );
  }
  if (!equalJson(before['volumeMode'], after['volumeMode']))
    errors.push(immutable('spec.volumeMode', after['volumeMode']));
  if (before['nodeAffinity'] !== undefined && !equalJson(before['nodeAffinity'], after['nodeAffinity'])) {
    errors.push(immutable('spec.nodeAffinity', after['nodeAffinity']));
  }
  return errors;
}

export const volumes: Kind = {
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  singular: 'persistentvolume',
  isNamespaced: false,
  shortNames: ['pv'],
  hasStatus: true,
  applyDefaults(volume) {
    const spec = ensureObject(volume, 'spec');
    setDefault(spec, 'persistentVolumeReclaimPolicy', 'Retain');
    setDefault(spec, 'volumeMode', 'Filesystem');
  },
  admitCreate(volume) {
    addFinalizer(volume, 'kubernetes.io/pv-protection');
  },
  prepareCreate(volume, now) {
    volume['status'] = { phase: 'Pending', lastPhaseTransitionTime: now };
  },
  prepareUpdate(next, previous, now) {
    if (stringAt(next, 'status', 'phase') === stringAt(previous, 'status', 'phase')) return;
    const given = stringAt(next, 'status', 'lastPhaseTransitionTime');
    if (given === undefined || given === stringAt(previous, 'status', 'lastPhaseTransitionTime')) {
      ensureObject(next, 'status')['lastPhaseTransitionTime'] = now;
    }
  },
  validate,
  validateUpdate,
  columns: [
    nameColumn,
    textColumn('Capacity', 'spec', 'capacity', 'storage'),
    column('Access Modes', (volume) => shortAccessModes(listAt(volume, 'spec', 'accessModes'))),
    textColumn('Reclaim Policy', 'spec', 'persistentVolumeReclaimPolicy'),
    column('Status', phaseOf),
    column('Claim', (volume) => {
      const claim = objectAt(volume, 'spec', 'claimRef');
      return claim === undefined ? '' : `${stringAt(claim, 'namespace') ?? ''}/${stringAt(claim, 'name') ?? ''}`;
    }),
    column(
      'StorageClass',
      (volume) =>
        volume.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ??
        stringAt(volume, 'spec', 'storageClassName') ??
        '',
    ),
    column('VolumeAttributesClass', (volume) => stringAt(volume, 'spec', 'volumeAttributesClassName') ?? '<unset>'),
    textColumn('Reason', 'status', 'reason'),
    ageColumn,
    column('VolumeMode', (volume) => stringAt(volume, 'spec', 'volumeMode') ?? '<unset>', 1),
  ],
};
