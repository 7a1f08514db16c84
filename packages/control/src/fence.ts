import type { Clock } from '@holdfast/core';

/**
 * Says whether this process may act as leader right now. Check it before each write and each call that changes something:
 * a process that was paused wakes up with its lease gone and nobody to tell it.
 *
 * It narrows the window in which two processes act; it cannot close it. A request may be under way when the lease ends,
 * and the lease tolerates clock skew, not clocks that run at different rates.
 */
export interface Fence {
  readonly isHeld: boolean;
  /** Throws FenceError when the lease is not, or no longer, surely ours. */
  check(): void;
}

export class FenceError extends Error {
  override readonly name = 'FenceError';
}

/** The fence of a program that runs without leader election. */
export const openFence: Fence = { isHeld: true, check() {} };

export interface LeaseFence extends Fence {
  /** Opens the fence until `leaseDurationMs` after `sentMs`, the monotonic time at which the renewal was sent. */
  extend(sentMs: number): void;
  close(): void;
}

export function createFence(deps: { leaseName: string; leaseDurationMs: number; clock: Clock }): LeaseFence {
  let heldUntilMs = Number.NEGATIVE_INFINITY;
  const isHeld = () => deps.clock.monotonicMs() < heldUntilMs;
  return {
    get isHeld() {
      return isHeld();
    },
    check() {
      if (!isHeld())
        throw new FenceError(`lease "${deps.leaseName}" is no longer surely ours; leaving this to its holder`);
    },
    extend(sentMs) {
      heldUntilMs = sentMs + deps.leaseDurationMs;
    },
    close() {
      heldUntilMs = Number.NEGATIVE_INFINITY;
    },
  };
}
