import { ageColumn, column, nameColumn, textColumn } from '../columns.ts';
import type { FieldError } from '../field-errors.ts';
import { duplicate, immutable, invalidValue, notSupported, required } from '../field-errors.ts';
import type { JsonObject } from '../json.ts';
import {
  ensureObject,
  equalJson,
  isObject,
  listAt,
  objectAt,
  setDefault,
  stringAt,
  textsAt,
  valueAt,
} from '../json.ts';
import type { Kind } from '../kind.ts';
import { dnsSubdomain } from '../name-rules.ts';
import type { ApiObject } from '../objects.ts';

function driversOf(node: ApiObject): JsonObject[] {
  return listAt(node, 'spec', 'drivers').filter(isObject);
}

function validateNode(node: ApiObject): FieldError[] {
  const seen = new Set<string>();
  return driversOf(node).flatMap((driver, index) => {
    const field = `spec.drivers[${index}]`;
    const name = stringAt(driver, 'name') ?? '';
    const errors: FieldError[] = [];
    const wrong = name === '' ? undefined : dnsSubdomain(name.toLowerCase());
    if (name === '') errors.push(required(`${field}.name`));
    if (wrong !== undefined) errors.push(invalidValue(`${field}.name`, name, wrong));
    if (seen.has(name)) errors.push(duplicate(`${field}.name`, name));
    seen.add(name);
    if ((stringAt(driver, 'nodeID') ?? '') === '') errors.push(required(`${field}.nodeID`));
    for (const key of listAt(driver, 'topologyKeys')) if (key === '') errors.push(required(`${field}.topologyKeys`));
    return errors;
  });
}

/** A driver may come and go, and its limit may change; its node id and topology keys may not change in place. */
function validateNodeUpdate(next: ApiObject, previous: ApiObject): FieldError[] {
  const before = new Map(driversOf(previous).map((driver) => [driver['name'], driver]));
  return driversOf(next).flatMap((driver, index) => {
    const old = before.get(driver['name']);
    if (old === undefined) return [];
    const isSame = ['nodeID', 'topologyKeys'].every((field) => equalJson(old[field], driver[field]));
    return isSame ? [] : [immutable(`spec.drivers[${index}]`, driver)];
  });
}

export const csiNodes: Kind = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  singular: 'csinode',
  isNamespaced: false,
  needsResourceVersion: true,
  applyDefaults(node) {
    // The field has no omitempty upstream: an empty CSINode is written with `drivers: null`; an empty list reads the same.
    setDefault(ensureObject(node, 'spec'), 'drivers', []);
  },
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
  columns: [nameColumn, { name: 'Drivers', type: 'integer', cell: (node) => driversOf(node).length }, ageColumn],
};

const driverDefaults: readonly (readonly [string, boolean | string])[] = [
  ['attachRequired', true],
  ['podInfoOnMount', false],
  ['storageCapacity', false],
  ['requiresRepublish', false],
  ['seLinuxMount', false],
  ['fsGroupPolicy', 'ReadWriteOnceWithFSType'],
];

export const csiDrivers: Kind = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  singular: 'csidriver',
  isNamespaced: false,
  applyDefaults(driver) {
    const spec = ensureObject(driver, 'spec');
    for (const [field, value] of driverDefaults) setDefault(spec, field, value);
    setDefault(spec, 'volumeLifecycleModes', ['Persistent']);
  },
  validate(driver) {
    const policies = ['File', 'None', 'ReadWriteOnceWithFSType'];
    const policy = stringAt(driver, 'spec', 'fsGroupPolicy') ?? '';
    const errors = policies.includes(policy) ? [] : [notSupported('spec.fsGroupPolicy', policy, policies)];
    for (const mode of listAt(driver, 'spec', 'volumeLifecycleModes')) {
      if (mode === 'Persistent' || mode === 'Ephemeral') continue;
      errors.push(notSupported('spec.volumeLifecycleModes', mode, ['Ephemeral', 'Persistent']));
    }
    return errors;
  },
  validateUpdate: (next, previous) =>
    ['attachRequired', 'volumeLifecycleModes']
      .filter((field) => !equalJson(valueAt(next, 'spec', field), valueAt(previous, 'spec', field)))
      .map((field) => immutable(`spec.${field}`, valueAt(next, 'spec', field))),
  columns: [
    nameColumn,
    column('AttachRequired', (driver) => valueAt(driver, 'spec', 'attachRequired') === true),
    column('PodInfoOnMount', (driver) => valueAt(driver, 'spec', 'podInfoOnMount') === true),
    column('StorageCapacity', (driver) => valueAt(driver, 'spec', 'storageCapacity') === true),
    column('TokenRequests', (driver) => {
      const audiences = listAt(driver, 'spec', 'tokenRequests').map((request) => stringAt(request, 'audience') ?? '');
      return audiences.length === 0 ? '<unset>' : audiences.join(',');
    }),
    column('RequiresRepublish', (driver) => valueAt(driver, 'spec', 'requiresRepublish') === true),
    column('Modes', (driver) => textsAt(driver, 'spec', 'volumeLifecycleModes').join(',')),
    ageColumn,
  ],
};

export const csiStorageCapacities: Kind = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  singular: 'csistoragecapacity',
  isNamespaced: true,
  validate: (object) => ((stringAt(object, 'storageClassName') ?? '') === '' ? [required('storageClassName')] : []),
  validateUpdate: (next, previous) =>
    ['nodeTopology', 'storageClassName']
      .filter((field) => !equalJson(next[field], previous[field]))
      .map((field) => immutable(field, next[field])),
  columns: [
    nameColumn,
    textColumn('StorageClass', 'storageClassName'),
    textColumn('Capacity', 'capacity'),
    column('Topology', (object) => JSON.stringify(objectAt(object, 'nodeTopology', 'matchLabels') ?? {}), 1),
    ageColumn,
  ],
};
