import { ageOf, column, nameColumn, textColumn } from '../columns.ts';
import { invalidValue, required } from '../field-errors.ts';
import { numberAt, stringAt } from '../json.ts';
import type { Column, Kind } from '../kind.ts';
import type { ApiObject } from '../objects.ts';

const eventColumns: readonly Column[] = [
  column('Last Seen', (event, nowMs) => ageOf(lastSeen(event), nowMs)),
  textColumn('Type', 'type'),
  textColumn('Reason', 'reason'),
  column('Object', (event) => {
    const kind = stringAt(event, 'involvedObject', 'kind') ?? '';
    return `${kind.toLowerCase()}/${stringAt(event, 'involvedObject', 'name') ?? ''}`;
  }),
  { ...textColumn('Subobject', 'involvedObject', 'fieldPath'), priority: 1 },
  column(
    'Source',
    (event) => stringAt(event, 'source', 'component') || (stringAt(event, 'reportingComponent') ?? ''),
    1,
  ),
  column('Message', (event) => (stringAt(event, 'message') ?? '').trim()),
  column('First Seen', (event, nowMs) => ageOf(firstSeen(event), nowMs), 1),
  column('Count', (event) => numberAt(event, 'series', 'count') ?? numberAt(event, 'count') ?? 1, 1),
  { ...nameColumn, priority: 1 },
];

function firstSeen(event: ApiObject): string | undefined {
  return stringAt(event, 'firstTimestamp') ?? stringAt(event, 'eventTime');
}

function lastSeen(event: ApiObject): string | undefined {
  return stringAt(event, 'series', 'lastObservedTime') ?? stringAt(event, 'lastTimestamp') ?? firstSeen(event);
}

const involved = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];
const own = ['reason', 'reportingComponent', 'type'];

export const events: Kind = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  isNamespaced: true,
  shortNames: ['ev'],
  answersDeleteWithStatus: true,
  validate(event) {
    const about = stringAt(event, 'involvedObject', 'namespace') ?? '';
    const here = event.metadata.namespace ?? '';
    if (stringAt(event, 'eventTime') !== undefined) {
      for (const field of ['reportingComponent', 'reportingInstance', 'action']) {
        if ((stringAt(event, field) ?? '') === '') return [required(field)];
      }
    }
    // An event about a cluster-scoped object lives in "default"; any other beside its object.
    const isPlaced = about === '' ? here === 'default' || here === 'kube-system' : about === here;
    return isPlaced ? [] : [invalidValue('involvedObject.namespace', about, 'does not match event.namespace')];
  },
  selectableFieldNames: [...involved.map((field) => `involvedObject.${field}`), ...own, 'source'],
  selectableFields: (event) => ({
    ...Object.fromEntries(
      involved.map((field) => [`involvedObject.${field}`, stringAt(event, 'involvedObject', field) ?? '']),
    ),
    ...Object.fromEntries(own.map((field) => [field, stringAt(event, field) ?? ''])),
    source: stringAt(event, 'source', 'component') || (stringAt(event, 'reportingComponent') ?? ''),
  }),
  columns: eventColumns,
};
