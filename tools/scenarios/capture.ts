// What sidecars leave at the interesting moments of a scenario, in a form that two runs can be compared in.
//
// One file for each moment: `<folder>/<cluster>/<scenario>/<ordinal>-<moment>.json`; see capture-folder.ts. Names, times and uids that differ from run to run are replaced.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  csiNodes,
  csiStorageCapacities,
  type Event,
  events,
  leases,
  persistentVolumeClaims,
  persistentVolumes,
  volumeAttachments,
} from '@holdfast/kube';
import type { AuditedRequest, ClusterKind, DriverCall, Maker, Rig, SidecarName } from '../rig/contract.ts';
import type { NameBook } from './name-book.ts';
import { byText, normalizeLease, normalizeObject, normalizeText } from './normalize.ts';
import { sidecarNames } from './settings.ts';

export type Moment = 'bound' | 'attached' | 'expanded' | 'modified' | 'detached' | 'failed' | 'end';

/** Where sidecars run and keep their leases. */
export const sidecarNamespace = 'holdfast-system';

/** The content of a file. */
export interface CapturedMoment {
  readonly scenario: string;
  readonly moment: Moment;
  readonly cluster: ClusterKind;
  readonly makers: Readonly<Record<SidecarName, Maker>>;
  /** Normalised objects, sorted by name. */
  readonly claims: readonly unknown[];
  readonly volumes: readonly unknown[];
  readonly attachments: readonly unknown[];
  readonly csiNodes: readonly unknown[];
  readonly leases: readonly unknown[];
  /** CSIStorageCapacity, without their names, which are made up. */
  readonly capacities: readonly unknown[];
  /** Events by sidecars alone, sorted. */
  readonly events: readonly CapturedEvent[];
  /** For each volume its calls since the scenario's start, in order, as `CreateVolume OK`. */
  readonly volumeCalls: Readonly<Record<string, readonly string[]>>;
  /** Calls about no volume, each once: how often a driver is probed or asked for a list is a matter of time. */
  readonly otherCalls: readonly string[];
  /** Of each sidecar since the scenario's start; see `countWrites`. */
  readonly writes: Readonly<Record<SidecarName, Readonly<Record<string, number>>>>;
}

export interface CapturedEvent {
  readonly by: SidecarName;
  readonly kind: string;
  readonly on: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
}

/** A scenario under way. */
export interface CaptureScope {
  readonly scenario: string;
  /** Where its claims and pods are. */
  readonly namespace: string;
  readonly rig: Rig;
  readonly makers: Readonly<Record<SidecarName, Maker>>;
  readonly names: NameBook;
  /** What the driver had answered before it began. */
  readonly callsBefore: number;
}

export async function captureMoment(scope: CaptureScope, moment: Moment): Promise<CapturedMoment> {
  const { rig, names, namespace } = scope;
  const { client } = rig.cluster;
  const [claimList, volumeList, attachmentList, nodeList, leaseList, capacityList, eventList] = await Promise.all([
    client.list(persistentVolumeClaims, { namespace }),
    client.list(persistentVolumes),
    client.list(volumeAttachments),
    client.list(csiNodes),
    client.list(leases, { namespace: sidecarNamespace }),
    client.list(csiStorageCapacities, { namespace: sidecarNamespace }),
    client.list(events),
  ]);
  for (const claim of claimList.items) names.learnClaim(claim);
  const volumes = volumeList.items.filter(({ spec }) => spec?.claimRef?.namespace === namespace);
  for (const volume of volumes) names.learnVolume(volume);
  const volumeNames = new Set(volumes.map(({ metadata }) => metadata.name));
  const attachments = attachmentList.items.filter(({ spec }) =>
    volumeNames.has(spec?.source?.persistentVolumeName ?? ''),
  );
  for (const attachment of attachments) names.learnAttachment(attachment);
  const calls = rig.driverCalls().slice(scope.callsBefore);
  return {
    scenario: scope.scenario,
    moment,
    cluster: rig.cluster.kind,
    makers: scope.makers,
    claims: claimList.items.map((claim) => normalizeObject(claim, names)).sort(byText),
    volumes: volumes.map((volume) => normalizeObject(volume, names)).sort(byText),
    attachments: attachments.map((attachment) => normalizeObject(attachment, names)).sort(byText),
    csiNodes: nodeList.items.map((node) => normalizeObject(node, names)).sort(byText),
    leases: leaseList.items.map((lease) => normalizeLease(lease, names)).sort(byText),
    capacities: capacityList.items
      .map((capacity) => normalizeObject({ ...capacity, metadata: { ...capacity.metadata, name: '' } }, names))
      .sort(byText),
    events: eventList.items
      .flatMap((event) => captureEvent(event, scope))
      .filter((event) => event.on.startsWith(`${namespace}/`) || event.on.startsWith('<'))
      .sort(byText),
    volumeCalls: callsByVolume(calls, names),
    otherCalls: [...new Set(calls.filter(({ volumeId }) => volumeId === '').map(wordCall))].sort(),
    writes: countWrites(await rig.cluster.requests()),
  };
}

/** Files keep the order of the moments in their names. */
export function writeMoment(folder: string, ordinal: number, captured: CapturedMoment): void {
  const place = join(folder, captured.cluster, captured.scenario.replaceAll(/[^a-z0-9]+/gi, '-'));
  mkdirSync(place, { recursive: true });
  const file = join(place, `${String(ordinal).padStart(2, '0')}-${captured.moment}.json`);
  writeFileSync(file, `${JSON.stringify(captured, undefined, 2)}\n`);
}

function captureEvent(event: Event, { names, rig }: CaptureScope): CapturedEvent[] {
  const component = event.source?.component ?? event.reportingComponent ?? '';
  const by = sidecarOfComponent(component, rig.driverName);
  if (by === undefined) return [];
  const { kind = '', namespace, name = '' } = event.involvedObject;
  const on = normalizeText(name, names);
  return [
    {
      by,
      kind,
      on: namespace === undefined ? on : `${namespace}/${on}`,
      type: event.type ?? '',
      reason: event.reason ?? '',
      message: normalizeText(event.message ?? '', names),
      count: event.count ?? 1,
    },
  ];
}

function sidecarOfComponent(component: string, driverName: string): SidecarName | undefined {
  if (component.startsWith(`${driverName}_`)) return 'provisioner';
  if (component.startsWith('external-resizer')) return 'resizer';
  if (component.startsWith('external-attacher')) return 'attacher';
  return undefined;
}

/** Which sidecar sent a request, by the service account it runs under. */
export function sidecarOf({ user }: Pick<AuditedRequest, 'user'>): SidecarName | undefined {
  return sidecarNames.find((name) => user.startsWith('system:serviceaccount:') && user.endsWith(`csi-${name}`));
}

const reading = new Set(['get', 'list', 'watch']);

/** By sidecar: `patch persistentvolumes/status 200` → how often. Leases are left out. */
export function countWrites(requests: readonly AuditedRequest[]): Record<SidecarName, Record<string, number>> {
  const counts: Record<SidecarName, Record<string, number>> = { provisioner: {}, attacher: {}, resizer: {} };
  for (const request of requests) {
    const by = sidecarOf(request);
    if (by === undefined || reading.has(request.verb) || request.resource === 'leases') continue;
    const target = request.subresource === '' ? request.resource : `${request.resource}/${request.subresource}`;
    const what = `${request.verb} ${target} ${request.code}`;
    counts[by][what] = (counts[by][what] ?? 0) + 1;
  }
  return counts;
}

function callsByVolume(calls: readonly DriverCall[], names: NameBook): Record<string, string[]> {
  const byVolume = new Map<string, string[]>();
  for (const call of calls) {
    if (call.volumeId === '') continue;
    const volume = normalizeText(call.volumeId, names);
    byVolume.set(volume, [...(byVolume.get(volume) ?? []), wordCall(call)]);
  }
  return Object.fromEntries([...byVolume].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function wordCall({ method, code }: DriverCall): string {
  return `${method} ${code}`;
}
