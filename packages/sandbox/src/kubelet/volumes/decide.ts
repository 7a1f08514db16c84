/** How far a call to the driver got: after an error that is not final nobody knows, so the call is undone or made again. */
export type Progress = 'absent' | 'uncertain' | 'done';

export interface VolumeView {
  /** The uids of the pods that need the volume here, in the order they came. */
  readonly wantedBy: readonly string[];
  /** The uids of pods whose processes may still use what is mounted for them, even if their claims no longer say so. */
  readonly heldBy: ReadonlySet<string>;
  readonly stage: Progress;
  /** By pod uid; pods without an entry have nothing published. */
  readonly publications: ReadonlyMap<string, Progress>;
  readonly driver: 'missing' | 'staging' | 'plain';
  readonly isAttachRequired: boolean;
  readonly isReportedInUse: boolean;
  readonly isAttached: boolean;
  readonly isExpansionDue: boolean;
}

export type VolumeStep =
  | { readonly kind: 'reportInUse' }
  | { readonly kind: 'wait'; readonly for: 'driver' | 'attachment' }
  | { readonly kind: 'stage' }
  | { readonly kind: 'publish'; readonly podUid: string }
  | { readonly kind: 'expand' }
  | { readonly kind: 'unpublish'; readonly podUid: string }
  | { readonly kind: 'unstage' }
  /** Nothing is left on this node: say so in `volumesInUse`, which lets the attachment go. */
  | { readonly kind: 'release' }
  | { readonly kind: 'none' };

/** The next step for one volume on this node. Steps of one volume are taken one at a time. */
export function decideVolume(view: VolumeView): VolumeStep {
  const wanted = new Set(view.wantedBy);
  const published = [...view.publications].filter(([, progress]) => progress !== 'absent').map(([podUid]) => podUid);
  const leaving = published.find((podUid) => !wanted.has(podUid) && !view.heldBy.has(podUid));
  if (leaving !== undefined) {
    return view.driver === 'missing' ? { kind: 'wait', for: 'driver' } : { kind: 'unpublish', podUid: leaving };
  }
  if (wanted.size > 0) {
    return decideWanted(view);
  }
  return published.length > 0 ? { kind: 'none' } : decideUnwanted(view);
}

function decideUnwanted(view: VolumeView): VolumeStep {
  if (view.stage !== 'absent') {
    return view.driver === 'missing' ? { kind: 'wait', for: 'driver' } : { kind: 'unstage' };
  }
  return view.isReportedInUse ? { kind: 'release' } : { kind: 'none' };
}

function decideWanted(view: VolumeView): VolumeStep {
  const missing = view.wantedBy.find((podUid) => view.publications.get(podUid) !== 'done');
  const mustStage = view.driver === 'staging' && view.stage !== 'done';
  if (missing === undefined && !mustStage) {
    return view.isExpansionDue && view.driver !== 'missing' ? { kind: 'expand' } : { kind: 'none' };
  }
  if (view.driver === 'missing') {
    return { kind: 'wait', for: 'driver' };
  }
  if (view.isAttachRequired) {
    // In this order: once the node says that it uses the volume, nobody takes the attachment away.
    if (!view.isReportedInUse) {
      return { kind: 'reportInUse' };
    }
    if (!view.isAttached) {
      return { kind: 'wait', for: 'attachment' };
    }
  }
  if (mustStage) {
    return { kind: 'stage' };
  }
  return missing === undefined ? { kind: 'none' } : { kind: 'publish', podUid: missing };
}
