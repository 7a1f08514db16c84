import { compareQuantities, parseQuantity } from '@holdfast/core';
import { ageColumn, column, nameColumn, phaseOf, shortAccessModes, textColumn } from '../columns.ts';
import type { FieldError } from '../field-errors.ts';
import { forbiddenField, immutable, invalidValue, notSupported, required } from '../field-errors.ts';
import type { JsonObject } from '../json.ts';
import { ensureObject, equalJson, isObject, listAt, objectAt, setDefault, stringAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import { dnsSubdomain } from '../name-rules.ts';
import type { ApiObject } from '../objects.ts';
import { addFinalizer, validateAccessModes } from './volume-rules.ts';

const sources = [
  'awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk glusterfs',
  'hostPath iscsi local nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume',
].flatMap((line) => line.split(' '));

// The order in which upstream looks at them: of two, the later one is refused.
const places = ['hostPath', ...sources.filter((name) => name !== 'hostPath' && name !== 'csi'), 'csi'];

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
  const driver = stringAt(csi, 'driver') ?? '';
  const wrong = driver === '' ? undefined : dnsSubdomain(driver.toLowerCase());
  if (driver === '') errors.push(required('spec.csi.driver'));
  if (wrong !== undefined) errors.push(invalidValue('spec.csi.driver', driver, wrong));
  if ((stringAt(csi, 'volumeHandle') ?? '') === '') errors.push(required('spec.csi.volumeHandle'));
  for (const name of ['controllerPublishSecretRef', 'nodePublishSecretRef', ...changeableSecrets]) {
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
  const given = objectAt(spec, 'capacity');
  if (given === undefined || Object.keys(given).length === 0) errors.push(required('spec.capacity'));
  if (capacity === undefined || Object.keys(given ?? {}).length !== 1) {
    errors.push(notSupported('spec.capacity', given ?? null, ['storage']));
  } else if (compareQuantities(parseQuantity(capacity), parseQuantity('0')) <= 0) {
    errors.push(invalidValue('spec.capacity[storage]', capacity, 'must be greater than zero'));
  }
  const policy = stringAt(spec, 'persistentVolumeReclaimPolicy');
  if (policy !== undefined && !['Delete', 'Recycle', 'Retain'].includes(policy)) {
    errors.push(notSupported('spec.persistentVolumeReclaimPolicy', policy, ['Delete', 'Recycle', 'Retain']));
  }
  const types = sources
    .filter((name) => spec[name] !== undefined)
    .sort((a, b) => places.indexOf(a) - places.indexOf(b));
  if (types.length === 0) errors.push(required('spec', 'must specify a volume type'));
  for (const extra of types.slice(1))
    errors.push(forbiddenField(`spec.${extra}`, 'may not specify more than 1 volume type'));
  const csi = objectAt(spec, 'csi');
  if (csi !== undefined) errors.push(...validateCsi(csi));
  const affinity = objectAt(spec, 'nodeAffinity');
  if (affinity !== undefined && affinity['required'] === undefined) {
    errors.push(required('spec.nodeAffinity.required', 'must specify required node constraints'));
  }
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
  if (!equalJson(before['volumeMode'], after['volumeMode'])) errors.push(immutable('volumeMode', after['volumeMode']));
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
    setDefault(ensureObject(volume, 'status'), 'phase', 'Pending');
    const hostPath = spec['hostPath'];
    if (isObject(hostPath)) setDefault(hostPath, 'type', '');
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
