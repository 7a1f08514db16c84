import type { Lease } from '@holdfast/kube';

/**
 * What a leader must not forget, kept as annotations of its lease. It travels with the right to act on it: whoever takes
 * the lease reads what the last holder was at, and a renewal carries it along for nothing.
 */
export interface LeaseNotes {
  /**
   * The text under an annotation's key. It is not current when somebody who keeps no notes has written the lease since (the
   * Go sidecar of the same name leaves annotations as they are): then nobody knows what has become of the matter.
   */
  read(key: string): { readonly text: string; readonly isCurrent: boolean } | undefined;
  /** From now on each write of the lease carries what `text` says at that time; undefined is no annotation. */
  keep(key: string, text: () => string | undefined): void;
  /**
   * Says that a text has changed. It is stored with the next write of the lease: a renewal, or, where there is no election,
   * the next that somebody asks for, or the one at the end.
   */
  touch(): void;
  /** Writes the lease at once. Resolves when all that was said before the call is stored. */
  store(signal: AbortSignal): Promise<void>;
  /** Whether the lease, as we wrote it last, has the text as it is now. */
  isStored(key: string): boolean;
}

/** The `renewTime` of the write that last stored notes. */
const NOTED_AT = 'csi.holdfast/noted-at';

export type NoteTexts = ReadonlyMap<string, () => string | undefined>;

/** The API server's limit for all annotations of an object together. */
export const MAX_ANNOTATION_BYTES = 256 * 1024;

function renewTimeOf(lease: Lease): string {
  return lease.spec?.renewTime ?? '';
}

export function hasCurrentNotes(lease: Lease): boolean {
  return lease.metadata.annotations?.[NOTED_AT] === renewTimeOf(lease);
}

/** The annotations of `next`, a new state of `previous`, with our texts put in; those of others stay. */
export function notedAnnotations(
  previous: Lease | undefined,
  renewTime: string,
  texts: NoteTexts,
): Record<string, string> {
  const annotations = { ...previous?.metadata.annotations };
  let hasTexts = false;
  for (const [key, textOf] of texts) {
    const text = textOf();
    if (text === undefined) delete annotations[key];
    else annotations[key] = text;
    hasTexts ||= text !== undefined;
  }
  if (hasTexts) annotations[NOTED_AT] = renewTime;
  else if (texts.size > 0) delete annotations[NOTED_AT];
  // Taken over and not looked at yet: they stay what they are.
  else if (previous && hasCurrentNotes(previous)) annotations[NOTED_AT] = renewTime;
  else delete annotations[NOTED_AT];
  return annotations;
}

export function readNote(lease: Lease | undefined, key: string): ReturnType<LeaseNotes['read']> {
  const text = lease?.metadata.annotations?.[key];
  return lease && text !== undefined ? { text, isCurrent: hasCurrentNotes(lease) } : undefined;
}

export function isNoteStored(lease: Lease | undefined, key: string, texts: NoteTexts): boolean {
  return lease?.metadata.annotations?.[key] === texts.get(key)?.();
}
