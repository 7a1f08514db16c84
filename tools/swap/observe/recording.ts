// What is left in the API and what the driver was asked, at one moment of a case, without what differs from run to run.
import {
  type Event,
  events,
  leases,
  persistentVolumeClaims,
  persistentVolumes,
  volumeAttachments,
} from '@holdfast/kube';
import type { ScriptedCall } from '@holdfast/sandbox/testing';
import * as z from 'zod';
import type { AuditedRequest, Cluster, SidecarName } from '../../rig/contract.ts';
import type { NameBook } from '../../scenarios/name-book.ts';
import { normalizeLease, normalizeObject, normalizeText } from '../../scenarios/normalize.ts';
import { sidecarNamespace } from '../sidecars.ts';
import { methods } from './methods.ts';
import { byName, isRecord, leaseOf, shaped } from './shape.ts';

/** Nested records whose leaves are compared. Lists whose order says nothing are records by content. */
export type Recording = Readonly<Record<string, unknown>>;
const recordingSchema = z.record(z.string(), z.unknown());

export interface Observed {
  readonly cluster: Cluster;
  readonly calls: readonly ScriptedCall[];
  readonly namespace: string;
  readonly driverName: string;
  readonly names: NameBook;
  readonly about: SidecarName;
  /** How often something was tried depends on when it was looked at. */
  readonly isRetrying: boolean;
}

export async function record(observed: Observed): Promise<Recording> {
  const { cluster, names, namespace, about } = observed;
  const { client } = cluster;
  const [claims, allVolumes, allAttachments, allEvents, allLeases] = await Promise.all([
    client.list(persistentVolumeClaims, { namespace }),
    client.list(persistentVolumes),
    client.list(volumeAttachments),
    client.list(events),
    client.list(leases, { namespace: sidecarNamespace }),
  ]);
  // Only this case's: PersistentVolumes are of no namespace.
  const volumes = allVolumes.items.filter(({ spec }) => spec?.claimRef?.namespace === namespace);
  for (const claim of claims.items) names.learnClaim(claim);
  for (const volume of volumes) names.learnVolume(volume);
  for (const attachment of allAttachments.items) names.learnAttachment(attachment);
  const lease = allLeases.items.filter(({ metadata }) => leaseOf(metadata.name) === about);
  const recording: Recording = {
    claims: byName(claims.items.map((claim) => normalizeObject(claim, names))),
    volumes: byName(volumes.map((volume) => normalizeObject(volume, names))),
    attachments: byName(allAttachments.items.map((attachment) => normalizeObject(attachment, names))),
    leases: byName(lease.map((each) => normalizeLease(each, names))),
    events: eventsOf(allEvents.items, observed),
    calls: callsOf(observed),
    writes: writesOf(await cluster.requests(), observed),
  };
  return recordingSchema.parse(JSON.parse(JSON.stringify(recording).replaceAll(namespace, '<namespace>')));
}

const components: Readonly<Record<SidecarName, RegExp>> = {
  provisioner: /^[a-z.]+_|^external-provisioner$/,
  attacher: /^external-attacher(?!-leader)/,
  resizer: /^external-resizer /,
};

function eventsOf(items: readonly Event[], { about, names, namespace, isRetrying }: Observed): Recording {
  const found: Record<string, { count: number | 'any'; messages: Record<string, number | 'any'> }> = {};
  for (const { source, involvedObject, type, reason, message = '', count = 1 } of items) {
    if (!components[about].test(source?.component ?? '')) continue;
    const on = normalizeText(involvedObject.name ?? '', names);
    if (involvedObject.namespace !== namespace && !on.startsWith('<')) continue;
    const what = `${type} ${reason} on ${involvedObject.kind} ${on}`;
    const said = normalizeText(message, names);
    const before = found[what] ?? { count: 0, messages: {} };
    found[what] = {
      count: isRetrying || before.count === 'any' ? 'any' : before.count + count,
      messages: { ...before.messages, [said]: isRetrying ? 'any' : count },
    };
  }
  return found;
}

function callsOf({ calls, names, isRetrying, about }: Observed): Recording {
  const byMethod = new Map<string, { request: unknown; times: number }[]>();
  for (const { method, request } of calls) {
    if (!methods[about].has(method)) continue;
    const text = JSON.stringify(request, inOrder);
    const asked: unknown = JSON.parse(normalizeText(text, names));
    const list = byMethod.get(method) ?? [];
    const last = list.at(-1);
    if (last !== undefined && JSON.stringify(last.request) === JSON.stringify(asked)) last.times += 1;
    else list.push({ request: asked, times: 1 });
    byMethod.set(method, list);
  }
  return Object.fromEntries(
    [...byMethod].map(([method, list]) => [
      method,
      shaped(isRetrying ? list.map(({ request }) => ({ request, times: 'any' })) : list),
    ]),
  );
}

/** Go's maps have no order. */
function inOrder(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (!isRecord(value) || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const reading = new Set(['get', 'list', 'watch']);

function writesOf(requests: readonly AuditedRequest[], { about, isRetrying }: Observed): Recording {
  const counts: Record<string, number> = {};
  for (const { verb, resource, subresource, user, code } of requests) {
    if (!user.endsWith(`:csi-${about}`) || reading.has(verb) || resource === 'leases') continue;
    const target = subresource === '' ? resource : `${resource}/${subresource}`;
    const what = `${verb} ${target}${code < 400 ? '' : ` ${code}`}`;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return isRetrying ? Object.fromEntries(Object.keys(counts).map((what) => [what, 'any'])) : counts;
}
