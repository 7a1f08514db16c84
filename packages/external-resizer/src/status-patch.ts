import type { Patch, PersistentVolumeClaim } from '@holdfast/kube';

/*
 * Parts of a patch of a claim's status. All are strategic: conditions are merged by their type, so that those of kubelet
 * and of others survive (a merge patch would replace the list). Annotations go along on /status, as upstream's do: its
 * service account may not patch claims themselves.
 */

/** A patch that is refused once the claim is another than it was decided upon. */
export function statusPatch(parts: {
  claim: PersistentVolumeClaim;
  annotations?: Readonly<Record<string, string | null>>;
  status: object;
}): Patch {
  const { uid, resourceVersion } = parts.claim.metadata;
  const hasAnnotations = parts.annotations !== undefined && Object.keys(parts.annotations).length > 0;
  return {
    kind: 'strategic',
    body: {
      metadata: { uid, resourceVersion, ...(hasAnnotations ? { annotations: parts.annotations } : {}) },
      status: parts.status,
    },
  };
}

/** A patch that holds whatever else has changed meanwhile: what it says is a fact. */
export function factPatch(claim: PersistentVolumeClaim, status: object): Patch {
  return { kind: 'strategic', body: { metadata: { uid: claim.metadata.uid }, status } };
}

export function conditionList(entries: readonly object[]): object {
  return entries.length === 0 ? {} : { conditions: entries };
}

/** Removes those of `types` that the claim has. */
export function removals(claim: PersistentVolumeClaim, types: readonly string[]): object[] {
  const present = claim.status?.conditions ?? [];
  return present.filter(({ type }) => types.includes(type)).map(({ type }) => ({ $patch: 'delete', type }));
}

/** A time as the API writes it: to the second. */
export function timestamp(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}
