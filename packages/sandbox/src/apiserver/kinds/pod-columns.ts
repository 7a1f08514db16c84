import { ageColumn, ageOf, column, nameColumn } from '../columns.ts';
import type { JsonObject } from '../json.ts';
import { isObject, listAt, numberAt, objectAt, stringAt, valueAt } from '../json.ts';
import type { Column } from '../kind.ts';
import type { ApiObject } from '../objects.ts';

function statusesOf(pod: ApiObject): JsonObject[] {
  return listAt(pod, 'status', 'containerStatuses').filter(isObject);
}

/** Why a container does not run, in the words kubectl shows: the reason, or the signal, or the exit code. */
function reasonOf(status: JsonObject): string | undefined {
  const waiting = stringAt(status, 'state', 'waiting', 'reason');
  if (waiting !== undefined && waiting !== '') return waiting;
  const terminated = objectAt(status, 'state', 'terminated');
  if (terminated === undefined) return undefined;
  const reason = stringAt(terminated, 'reason') ?? '';
  if (reason !== '') return reason;
  const signal = numberAt(terminated, 'signal') ?? 0;
  return signal === 0 ? `ExitCode:${numberAt(terminated, 'exitCode') ?? 0}` : `Signal:${signal}`;
}

function statusOf(pod: ApiObject): string {
  if (pod.metadata.deletionTimestamp !== undefined) {
    return stringAt(pod, 'status', 'reason') === 'NodeLost' ? 'Unknown' : 'Terminating';
  }
  const own = stringAt(pod, 'status', 'reason') ?? '';
  const overall = own === '' ? (stringAt(pod, 'status', 'phase') ?? 'Unknown') : own;
  const reasons = statusesOf(pod)
    .map(reasonOf)
    .filter((reason) => reason !== undefined);
  return reasons[0] ?? overall;
}

function restartsOf(pod: ApiObject, nowMs: number): string {
  const statuses = statusesOf(pod);
  const restarts = statuses.reduce((sum, status) => sum + (numberAt(status, 'restartCount') ?? 0), 0);
  const last = statuses
    .map((status) => stringAt(status, 'lastState', 'terminated', 'finishedAt'))
    .filter((time) => time !== undefined)
    .sort()
    .at(-1);
  return restarts === 0 || last === undefined ? String(restarts) : `${restarts} (${ageOf(last, nowMs)} ago)`;
}

function orNone(...path: string[]): Column['cell'] {
  return (pod) => stringAt(pod, ...path) || '<none>';
}

export const podColumns: readonly Column[] = [
  nameColumn,
  column('Ready', (pod) => {
    const ready = statusesOf(pod).filter((status) => status['ready'] === true).length;
    return `${ready}/${listAt(pod, 'spec', 'containers').length}`;
  }),
  column('Status', statusOf),
  column('Restarts', restartsOf),
  ageColumn,
  column('IP', orNone('status', 'podIP'), 1),
  column('Node', orNone('spec', 'nodeName'), 1),
  column('Nominated Node', orNone('status', 'nominatedNodeName'), 1),
  column(
    'Readiness Gates',
    (pod) =>
      valueAt(pod, 'spec', 'readinessGates') === undefined
        ? '<none>'
        : '0/' + listAt(pod, 'spec', 'readinessGates').length,
    1,
  ),
];
