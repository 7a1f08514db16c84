import { ageColumn, column, nameColumn } from '../columns.ts';
import { forbiddenField, notSupported } from '../field-errors.ts';
import { ensureObject, isObject, listAt, objectAt, setDefault, stringAt, valueAt } from '../json.ts';
import type { Column, Kind } from '../kind.ts';
import type { ApiObject } from '../objects.ts';

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** Nobody schedules to a node that has not said it is ready: the TaintNodesByCondition admission plug-in. */
const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };

const rolePrefix = 'node-role.kubernetes.io/';

function statusOf(node: ApiObject): string {
  const ready = listAt(node, 'status', 'conditions')
    .filter(isObject)
    .find((condition) => condition['type'] === 'Ready');
  const status = ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady';
  return valueAt(node, 'spec', 'unschedulable') === true ? `${status},SchedulingDisabled` : status;
}

function rolesOf(node: ApiObject): string {
  const roles = Object.keys(node.metadata.labels ?? {})
    .filter((label) => label.startsWith(rolePrefix) && label !== rolePrefix)
    .map((label) => label.slice(rolePrefix.length))
    .sort();
  return roles.length === 0 ? '<none>' : roles.join(',');
}

function address(type: string): Column['cell'] {
  return (node) => {
    const found = listAt(node, 'status', 'addresses')
      .filter(isObject)
      .find((item) => item['type'] === type);
    return stringAt(found, 'address') ?? '<none>';
  };
}

function info(field: string, missing: string): Column['cell'] {
  return (node) => stringAt(node, 'status', 'nodeInfo', field) || missing;
}

export const nodes: Kind = {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  singular: 'node',
  isNamespaced: false,
  shortNames: ['no'],
  hasStatus: true,
  keepsStatusAtCreation: true,
  applyDefaults(node) {
    const status = objectAt(node, 'status');
    if (status?.['capacity'] !== undefined) setDefault(status, 'allocatable', structuredClone(status['capacity']));
  },
  admitCreate(node) {
    const spec = ensureObject(node, 'spec');
    const taints = listAt(spec, 'taints');
    const isThere = taints.some(
      (taint) => stringAt(taint, 'key') === notReady.key && stringAt(taint, 'effect') === notReady.effect,
    );
    if (!isThere) spec['taints'] = [...taints, { ...notReady }];
  },
  validate: (node) =>
    listAt(node, 'spec', 'taints').flatMap((taint, at) => {
      const effect = stringAt(taint, 'effect') ?? '';
      return effects.includes(effect) ? [] : [notSupported(`metadata.taints[${at}].effect`, effect, effects)];
    }),
  validateUpdate(next, previous) {
    const before = stringAt(previous, 'spec', 'providerID') ?? '';
    if (before === '' || before === stringAt(next, 'spec', 'providerID')) return [];
    return [forbiddenField('spec.providerID', 'node updates may not change providerID except from "" to valid')];
  },
  answersDeleteWithStatus: true,
  selectableFieldNames: ['spec.unschedulable'],
  selectableFields: (node) => ({ 'spec.unschedulable': String(valueAt(node, 'spec', 'unschedulable') === true) }),
  columns: [
    nameColumn,
    column('Status', statusOf),
    column('Roles', rolesOf),
    ageColumn,
    column('Version', info('kubeletVersion', '')),
    column('Internal-IP', address('InternalIP'), 1),
    column('External-IP', address('ExternalIP'), 1),
    column('OS-Image', info('osImage', '<unknown>'), 1),
    column('Kernel-Version', info('kernelVersion', '<unknown>'), 1),
    column('Container-Runtime', info('containerRuntimeVersion', '<unknown>'), 1),
  ],
};
