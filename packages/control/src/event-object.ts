import type { Draft, Event, Patch } from '@holdfast/kube';
import type { Occurrence } from './event-correlator.ts';

// The API's limits.
const MAX_NAME_LENGTH = 253;
const MAX_MESSAGE_LENGTH = 1_024;

/** A core/v1 Event as client-go writes it: named `<object>.<nanoseconds in hex>`, in the object's namespace or `default`. */
export function newEvent(of: {
  occurrence: Occurrence;
  message: string;
  count: number;
  component: string;
  stampNs: bigint;
}): Draft<Event> {
  const { object, type, reason, atMs } = of.occurrence;
  const suffix = `.${of.stampNs.toString(16)}`;
  const at = timestamp(atMs);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      // A cut may end on a character that a name must not have before the dot.
      name: object.name.slice(0, MAX_NAME_LENGTH - suffix.length).replace(/[^a-z0-9]+$/, '') + suffix,
      namespace: object.namespace ?? 'default',
    },
    involvedObject: { ...object },
    reason,
    message: clip(of.message),
    source: { component: of.component },
    firstTimestamp: at,
    lastTimestamp: at,
    count: of.count,
    type,
    reportingComponent: of.component,
    reportingInstance: '',
  };
}

export function countPatch(count: number, atMs: number, message: string): Patch {
  return { kind: 'strategic', body: { count, lastTimestamp: timestamp(atMs), message: clip(message) } };
}

/** metav1.Time: RFC 3339 in whole seconds. */
function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function clip(message: string): string {
  return message.length <= MAX_MESSAGE_LENGTH ? message : `${message.slice(0, MAX_MESSAGE_LENGTH - 1)}…`;
}
