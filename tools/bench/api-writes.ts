import type { AuditedRequest } from '../rig/contract.ts';

/** What one program wrote. Leases are counted apart: most are written by the clock, not by the object. */
export interface WriteCount {
  /** By `verb resource/subresource`, in order of name. Failed ones included: they cost the same. */
  readonly byKind: ReadonlyMap<string, number>;
  /** All but events. */
  readonly writes: number;
  readonly events: number;
  /** By the clock, or beside the work: what a program notes on its lease. */
  readonly leases: number;
  /** Those of the writes and events that the server refused. */
  readonly failed: number;
}

const writingVerbs: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** The writes of the program whose user agent begins with `program/`. */
export function countWrites(requests: readonly AuditedRequest[], program: string): WriteCount {
  const byKind = new Map<string, number>();
  let writes = 0;
  let events = 0;
  let leases = 0;
  let failed = 0;
  for (const { verb, resource, subresource, userAgent, code } of requests) {
    if (!writingVerbs.has(verb) || !userAgent.startsWith(`${program}/`)) continue;
    if (resource === 'leases') {
      leases += 1;
      continue;
    }
    const kind = `${verb} ${resource}${subresource === '' ? '' : `/${subresource}`}`;
    byKind.set(kind, (byKind.get(kind) ?? 0) + 1);
    if (resource === 'events') events += 1;
    else writes += 1;
    if (code >= 400) failed += 1;
  }
  return { byKind: new Map([...byKind].toSorted(([a], [b]) => a.localeCompare(b))), writes, events, leases, failed };
}
