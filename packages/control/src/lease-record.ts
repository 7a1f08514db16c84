import type { Draft, Lease } from '@holdfast/kube';
import { type NoteTexts, notedAnnotations } from './lease-notes.ts';

/** The part of a Lease that election is about. Times are written for people and other programs, never compared here. */
export interface LeaseRecord {
  holderIdentity: string;
  leaseDurationSeconds: number;
  acquireTime: string;
  renewTime: string;
  leaseTransitions: number;
}

/** What a holder puts on the lease beside its record. */
export interface LeaseMarks {
  readonly labels: Readonly<Record<string, string>>;
  readonly notes: NoteTexts;
}

export function recordOf(lease: Lease): LeaseRecord {
  const spec = lease.spec ?? {};
  return {
    holderIdentity: spec.holderIdentity ?? '',
    leaseDurationSeconds: spec.leaseDurationSeconds ?? 0,
    acquireTime: spec.acquireTime ?? '',
    renewTime: spec.renewTime ?? '',
    leaseTransitions: spec.leaseTransitions ?? 0,
  };
}

export function isSameRecord(a: LeaseRecord, b: LeaseRecord): boolean {
  return (
    a.holderIdentity === b.holderIdentity &&
    a.leaseDurationSeconds === b.leaseDurationSeconds &&
    a.acquireTime === b.acquireTime &&
    a.renewTime === b.renewTime &&
    a.leaseTransitions === b.leaseTransitions
  );
}

/** What `identity` writes to take or keep the lease. Only a change of holder counts as a transition. */
export function claimRecord(
  previous: LeaseRecord | undefined,
  by: { identity: string; leaseDurationMs: number; nowMs: number },
): LeaseRecord {
  const now = microTime(by.nowMs);
  const isOurs = previous?.holderIdentity === by.identity;
  return {
    holderIdentity: by.identity,
    leaseDurationSeconds: Math.ceil(by.leaseDurationMs / 1_000),
    acquireTime: isOurs ? previous.acquireTime || now : now,
    renewTime: now,
    leaseTransitions: previous === undefined ? 0 : previous.leaseTransitions + (isOurs ? 0 : 1),
  };
}

/** What a leader leaves behind when it steps down: no holder, and a duration of 1 s so that nobody waits. */
export function releaseRecord(previous: LeaseRecord, nowMs: number): LeaseRecord {
  const now = microTime(nowMs);
  return {
    holderIdentity: '',
    leaseDurationSeconds: 1,
    acquireTime: now,
    renewTime: now,
    leaseTransitions: previous.leaseTransitions,
  };
}

export function newLease(
  ref: { name: string; namespace: string },
  record: LeaseRecord,
  { labels, notes }: LeaseMarks,
): Draft<Lease> {
  const annotations = notedAnnotations(undefined, record.renewTime, notes);
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      ...ref,
      ...(Object.keys(labels).length > 0 ? { labels: { ...labels } } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    spec: { ...record },
  };
}

/** The whole lease with the record put in; its resourceVersion guards the PUT. */
export function withRecord(lease: Lease, record: LeaseRecord, { labels, notes }: LeaseMarks): Lease {
  const allLabels = { ...lease.metadata.labels, ...labels };
  const { annotations: _, labels: __, ...metadata } = lease.metadata;
  const annotations = notedAnnotations(lease, record.renewTime, notes);
  return {
    ...lease,
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      ...metadata,
      ...(Object.keys(allLabels).length > 0 ? { labels: allLabels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    spec: { ...lease.spec, ...record },
  };
}

/** metav1.MicroTime: RFC 3339 with six digits, else the API server refuses it. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

/** A lease name, or a holder's identity, as csi-lib-utils makes it of any string. */
export function sanitizeLeaseName(name: string): string {
  const sanitized = name.replaceAll(/[^a-zA-Z0-9-]/g, '-');
  return sanitized.endsWith('-') ? `${sanitized}X` : sanitized;
}
