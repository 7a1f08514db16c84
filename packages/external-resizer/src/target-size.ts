import { resourceStatuses } from './names.ts';

/** A size as the user wrote it and as it counts. */
export interface Size {
  readonly text: string;
  readonly bytes: bigint;
}

export interface Sizes {
  /** What the claim asks for. It is more than the claim has. */
  readonly requested: Size;
  /** What the last expansion was started for, if any. */
  readonly allocated: Size | undefined;
  /** What the PersistentVolume has. */
  readonly volumeBytes: bigint;
  /** How far the last expansion is; '' when none is under way. */
  readonly resourceStatus: string;
  readonly hasFinalError: boolean;
  readonly isNodeOnly: boolean;
  readonly isFileSystemResizePending: boolean;
}

export type TargetChoice =
  | { readonly kind: 'target'; readonly target: Size }
  | { readonly kind: 'leave'; readonly reason: string };

/**
 * Which size to expand to. An expansion whose outcome is unknown is brought to its end before another size is tried:
 * the driver may have finished it, and a smaller request on top would be an error (KEP-1790, "Recovering from Resize
 * Failures").
 */
export function chooseTarget(sizes: Sizes): TargetChoice {
  return sizes.volumeBytes < sizes.requested.bytes ? chooseForSmallVolume(sizes) : chooseForGrownVolume(sizes);
}

function chooseForSmallVolume(sizes: Sizes): TargetChoice {
  const { requested, allocated, volumeBytes } = sizes;
  switch (sizes.resourceStatus) {
    case resourceStatuses.nodeInfeasible:
      return target(allocated ?? requested);
    case resourceStatuses.nodePending:
    case resourceStatuses.nodeInProgress: {
      const started = allocated ?? requested;
      return volumeBytes >= started.bytes ? leave('the node has to finish the last expansion first') : target(started);
    }
    case resourceStatuses.controllerInProgress:
      return target(sizes.hasFinalError ? requested : (allocated ?? requested));
    default:
      return target(requested);
  }
}

/** The volume is as large as asked for, but the claim does not say so yet. */
function chooseForGrownVolume(sizes: Sizes): TargetChoice {
  const { requested, allocated } = sizes;
  switch (sizes.resourceStatus) {
    case resourceStatuses.nodePending:
    case resourceStatuses.nodeInProgress:
      return leave('the node has to finish the expansion');
    case resourceStatuses.nodeInfeasible:
      return target(sizes.isNodeOnly ? requested : (allocated ?? requested));
    case resourceStatuses.controllerInProgress:
    case resourceStatuses.controllerInfeasible:
      return target(allocated ?? requested);
    default:
      if (allocated) return target(allocated);
      // Only an API server without RecoverVolumeExpansionFailure leaves a started expansion without these fields.
      return sizes.isFileSystemResizePending ? leave('the node has to finish the expansion') : target(requested);
  }
}

function target(size: Size): TargetChoice {
  return { kind: 'target', target: size };
}

function leave(reason: string): TargetChoice {
  return { kind: 'leave', reason };
}
