import { ageColumn, column, nameColumn, textColumn } from '../columns.ts';
import type { FieldError } from '../field-errors.ts';
import { notSupported, required } from '../field-errors.ts';
import { ensureObject, isObject, listAt, numberAt, objectAt, setDefault, show, stringAt } from '../json.ts';
import type { Kind } from '../kind.ts';
import { dnsLabel } from '../name-rules.ts';
import type { ApiObject } from '../objects.ts';

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];

function validate(service: ApiObject): FieldError[] {
  const type = stringAt(service, 'spec', 'type') ?? '';
  const errors = types.includes(type) ? [] : [notSupported('spec.type', type, types)];
  const isHeadless = stringAt(service, 'spec', 'clusterIP') === 'None';
  const ports = listAt(service, 'spec', 'ports');
  if (ports.length === 0 && !isHeadless && type !== 'ExternalName') errors.push(required('spec.ports'));
  for (const [index, port] of ports.entries()) {
    if (numberAt(port, 'port') === undefined) errors.push(required(`spec.ports[${index}].port`));
  }
  return errors;
}

function portsOf(service: ApiObject): string {
  const ports = listAt(service, 'spec', 'ports').map(
    (port) => `${numberAt(port, 'port') ?? ''}/${stringAt(port, 'protocol') ?? ''}`,
  );
  return ports.length === 0 ? '<none>' : ports.join(',');
}

function selectorOf(service: ApiObject): string {
  const pairs = Object.entries(objectAt(service, 'spec', 'selector') ?? {});
  return pairs.length === 0 ? '<none>' : pairs.map(([key, value]) => `${key}=${show(value)}`).join(',');
}

/** Kept and shown, and that is all: the sandbox has no network, so a service gets no address. `kubectl cluster-info` asks for them. */
export const services: Kind = {
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  isNamespaced: true,
  shortNames: ['svc'],
  categories: ['all'],
  nameRule: dnsLabel,
  hasStatus: true,
  applyDefaults(service) {
    const spec = ensureObject(service, 'spec');
    setDefault(spec, 'type', 'ClusterIP');
    setDefault(spec, 'sessionAffinity', 'None');
    if (spec['type'] !== 'ExternalName') setDefault(spec, 'internalTrafficPolicy', 'Cluster');
    for (const port of listAt(spec, 'ports').filter(isObject)) {
      setDefault(port, 'protocol', 'TCP');
      const number = port['port'];
      if (number !== undefined) setDefault(port, 'targetPort', number);
    }
  },
  prepareCreate(service) {
    service['status'] = { loadBalancer: {} };
  },
  validate,
  selectableFieldNames: ['spec.clusterIP', 'spec.type'],
  selectableFields: (service) => ({
    'spec.clusterIP': stringAt(service, 'spec', 'clusterIP') ?? '',
    'spec.type': stringAt(service, 'spec', 'type') ?? '',
  }),
  columns: [
    nameColumn,
    textColumn('Type', 'spec', 'type'),
    column('Cluster-IP', (service) => stringAt(service, 'spec', 'clusterIP') ?? '<none>'),
    column('External-IP', (service) => stringAt(service, 'spec', 'externalName') ?? '<none>'),
    column('Port(s)', portsOf),
    ageColumn,
    column('Selector', selectorOf, 1),
  ],
};
