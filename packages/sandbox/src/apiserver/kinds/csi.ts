import { compareQuantities, parseQuantity } from '@holdfast/core';
import { ageColumn, booleanColumn, column, nameColumn, textColumn } from '../columns.ts';
import type { FieldError } from '../field-errors.ts';
import { duplicate, immutable, invalidValue, notSupported, required } from '../field-errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import {
  ensureObject,
  equalJson,
  isObject,
  listAt,
  numberAt,
  objectAt,
  setDefault,
  stringAt,
  textsAt,
  valueAt,
} from '../json.ts';
import type { Kind } from '../kind.ts';
import { dnsSubdomain, qualifiedName } from '../name-rules.ts';
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
    const count = numberAt(driver, 'allocatable', 'count') ?? 0;
    if (count < 0) errors.push(invalidValue(`${field}.allocatable.count`, count, 'must be greater than or equal to 0'));
    const keys = textsAt(driver, 'topologyKeys');
    for (const [at, key] of keys.entries()) {
      if (keys.indexOf(key) < at) errors.push(duplicate(field, key));
      const wrongKey = qualifiedName(key);
      if (key === '') errors.push(required(field));
      if (wrongKey !== undefined) errors.push(invalidValue(field, key, wrongKey));
    }
    return errors;
  });
}

/** A driver may come and go, and its limit may change; its node id and topology keys may not change in place. */
function validateNodeUpdate(next: ApiObject, previous: ApiObject): FieldError[] {
  const before = new Map(driversOf(previous).map((driver) => [driver['name'], driver]));
  return driversOf(next).flatMap((driver) => {
    const old = before.get(driver['name']);
    if (old === undefined) return [];
    const isSame = ['nodeID', 'topologyKeys'].every((field) => equalJson(old[field], driver[field]));
    return isSame ? [] : [immutable('spec.drivers', driver)];
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

const shortestTokenSeconds = 600;

function validateTokenRequests(requests: readonly JsonValue[]): FieldError[] {
  const audiences = requests.map((request) => stringAt(request, 'audience') ?? '');
  return requests.flatMap((request, at) => {
    const field = `spec.tokenRequests[${at}]`;
    const audience = audiences[at] ?? '';
    if (audiences.indexOf(audience) < at) return [duplicate(`${field}.audience`, audience)];
    const seconds = numberAt(request, 'expirationSeconds') ?? shortestTokenSeconds;
    if (seconds >= shortestTokenSeconds) return [];
    return [invalidValue(`${field}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes')];
  });
}

export const csiDrivers: Kind = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  singular: 'csidriver',
  needsResourceVersion: true,
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
      errors.push(notSupported('spec.volumeLifecycleModes', mode, ['Persistent', 'Ephemeral']));
    }
    return [...errors, ...validateTokenRequests(listAt(driver, 'spec', 'tokenRequests'))];
  },
  prepareCreate(driver) {
    // Upstream's strategy lets nobody set it, and counts from the first change on.
    delete driver.metadata['generation'];
  },
  prepareUpdate(next, previous) {
    if (!equalJson(next['spec'], previous['spec'])) next.metadata.generation = (previous.metadata.generation ?? 0) + 1;
  },
  validateUpdate: (next, previous) =>
    ['attachRequired', 'volumeLifecycleModes']
      .filter((field) => !equalJson(valueAt(next, 'spec', field), valueAt(previous, 'spec', field)))
      // Upstream's own name for the field in this message.
      .map((field) => [field === 'attachRequired' ? 'attachedRequired' : field, valueAt(next, 'spec', field)] as const)
      .map(([name, value]) => immutable(`spec.${name}`, value)),
  columns: [
    nameColumn,
    booleanColumn('AttachRequired', (driver) => valueAt(driver, 'spec', 'attachRequired') === true),
    booleanColumn('PodInfoOnMount', (driver) => valueAt(driver, 'spec', 'podInfoOnMount') === true),
    booleanColumn('StorageCapacity', (driver) => valueAt(driver, 'spec', 'storageCapacity') === true),
    column('TokenRequests', (driver) => {
      const audiences = listAt(driver, 'spec', 'tokenRequests').map((request) => stringAt(request, 'audience') ?? '');
      return audiences.length === 0 ? '<unset>' : audiences.join(',');
    }),
    booleanColumn('RequiresRepublish', (driver) => valueAt(driver, 'spec', 'requiresRepublish') === true),
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
  answersDeleteWithStatus: true,
  needsResourceVersion: true,
  validate(object) {
    const name = stringAt(object, 'storageClassName') ?? '';
    const wrong = dnsSubdomain(name);
    const errors = wrong === undefined ? [] : [invalidValue('storageClassName', name, wrong)];
    const capacity = stringAt(object, 'capacity') ?? '0';
    if (compareQuantities(parseQuantity(capacity), parseQuantity('0')) < 0) {
      errors.push(invalidValue('capacity', capacity, 'must be greater than or equal to 0'));
    }
    return errors;
  },
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
