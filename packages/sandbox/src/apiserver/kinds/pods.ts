import type { FieldError } from '../field-errors.ts';
import { duplicate, forbiddenField, invalidValue, notSupported, required } from '../field-errors.ts';
import type { JsonObject } from '../json.ts';
import {
  ensureObject,
  equalJson,
  isObject,
  listAt,
  numberAt,
  objectAt,
  setDefault,
  stringAt,
  valueAt,
} from '../json.ts';
import type { Kind } from '../kind.ts';
import { dnsLabel } from '../name-rules.ts';
import type { ApiObject } from '../objects.ts';
import { podColumns } from './pod-columns.ts';
import { applyDefaults, containerLists, qosClassOf, tolerateUnreachableNodes } from './pod-defaults.ts';

function validate(pod: ApiObject): FieldError[] {
  const spec = objectAt(pod, 'spec') ?? {};
  const errors: FieldError[] = [];
  const volumes = new Set<string>();
  for (const [index, volume] of listAt(spec, 'volumes').entries()) {
    const name = stringAt(volume, 'name') ?? '';
    if (name === '') errors.push(required(`spec.volumes[${index}].name`));
    if (volumes.has(name)) errors.push(duplicate(`spec.volumes[${index}].name`, name));
    volumes.add(name);
    const claim = objectAt(volume, 'persistentVolumeClaim');
    if (claim !== undefined && (stringAt(claim, 'claimName') ?? '') === '') {
      errors.push(required(`spec.volumes[${index}].persistentVolumeClaim.claimName`));
    }
  }
  if (listAt(spec, 'containers').length === 0) errors.push(required('spec.containers'));
  for (const list of containerLists) {
    for (const [index, container] of listAt(spec, list).entries()) {
      errors.push(...validateContainer(`spec.${list}[${index}]`, container, volumes));
    }
  }
  const policy = stringAt(spec, 'restartPolicy');
  if (!['Always', 'OnFailure', 'Never'].includes(policy ?? '')) {
    errors.push(notSupported('spec.restartPolicy', policy, ['Always', 'OnFailure', 'Never']));
  }
  return errors;
}

function validateContainer(field: string, container: unknown, volumes: ReadonlySet<string>): FieldError[] {
  if (!isObject(container)) return [required(field)];
  const errors: FieldError[] = [];
  const name = stringAt(container, 'name') ?? '';
  const wrong = name === '' ? undefined : dnsLabel(name);
  if (name === '') errors.push(required(`${field}.name`));
  if (wrong !== undefined) errors.push(invalidValue(`${field}.name`, name, wrong));
  if ((stringAt(container, 'image') ?? '') === '') errors.push(required(`${field}.image`));
  for (const [list, path] of [
    ['volumeMounts', 'mountPath'],
    ['volumeDevices', 'devicePath'],
  ] as const) {
    for (const [index, mount] of listAt(container, list).entries()) {
      const volume = stringAt(mount, 'name') ?? '';
      const at = `${field}.${list}[${index}]`;
      if (volume === '') errors.push(required(`${at}.name`));
      else if (!volumes.has(volume)) {
        errors.push({
          field: `${at}.name`,
          reason: 'FieldValueNotFound',
          message: `Not found: ${JSON.stringify(volume)}`,
        });
      }
      if ((stringAt(mount, path) ?? '') === '') errors.push(required(`${at}.${path}`));
    }
  }
  return errors;
}

/** The spec with everything that may change in place taken out. */
function fixedSpec(pod: ApiObject): JsonObject {
  const spec = structuredClone(objectAt(pod, 'spec') ?? {});
  for (const field of ['activeDeadlineSeconds', 'tolerations', 'terminationGracePeriodSeconds', 'schedulingGates']) {
    delete spec[field];
  }
  for (const list of containerLists) {
    for (const container of listAt(spec, list).filter(isObject)) {
      delete container['image'];
      delete container['imagePullPolicy'];
    }
  }
  return spec;
}

export const pods: Kind = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  isNamespaced: true,
  shortNames: ['po'],
  categories: ['all'],
  hasStatus: true,
  hasGeneration: true,
  gracePeriodSeconds(pod) {
    const phase = stringAt(pod, 'status', 'phase');
    // Nobody runs it, or nothing runs in it any more: there is nothing to wait for.
    if ((stringAt(pod, 'spec', 'nodeName') ?? '') === '' || phase === 'Succeeded' || phase === 'Failed') return 0;
    return numberAt(pod, 'spec', 'terminationGracePeriodSeconds') ?? 30;
  },
  applyDefaults,
  admitCreate(pod) {
    const spec = ensureObject(pod, 'spec');
    setDefault(spec, 'priority', 0);
    setDefault(spec, 'preemptionPolicy', 'PreemptLowerPriority');
    tolerateUnreachableNodes(spec);
  },
  prepareUpdate(next, previous) {
    // Admission again: what it put in at first a client need not send.
    const spec = ensureObject(next, 'spec');
    for (const field of ['priority', 'preemptionPolicy']) {
      const before = valueAt(previous, 'spec', field);
      if (before !== undefined) setDefault(spec, field, before);
    }
    tolerateUnreachableNodes(spec);
  },
  prepareCreate(pod) {
    pod['status'] = { phase: 'Pending', qosClass: qosClassOf(pod) };
  },
  validate,
  validateUpdate: (next, previous) =>
    equalJson(fixedSpec(next), fixedSpec(previous))
      ? []
      : [
          forbiddenField(
            'spec',
            'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
          ),
        ],
  selectableFieldNames: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.podIPs',
    'status.nominatedNodeName',
  ],
  selectableFields: (pod) => ({
    'spec.nodeName': stringAt(pod, 'spec', 'nodeName') ?? '',
    'spec.restartPolicy': stringAt(pod, 'spec', 'restartPolicy') ?? '',
    'spec.schedulerName': stringAt(pod, 'spec', 'schedulerName') ?? '',
    'spec.serviceAccountName': stringAt(pod, 'spec', 'serviceAccountName') ?? '',
    'spec.hostNetwork': String(valueAt(pod, 'spec', 'hostNetwork') === true),
    'status.phase': stringAt(pod, 'status', 'phase') ?? '',
    'status.podIP': stringAt(pod, 'status', 'podIP') ?? '',
    'status.podIPs': stringAt(pod, 'status', 'podIP') ?? '',
    'status.nominatedNodeName': stringAt(pod, 'status', 'nominatedNodeName') ?? '',
  }),
  columns: podColumns,
};
