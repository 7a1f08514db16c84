import type { ServerResponse } from 'node:http';
import type { VerbContext } from './context.ts';

export type WakeUp = 'change' | 'bookmark' | 'timeout' | 'closed';

// The most final first: a busy collection must not keep a watch from ending.
const precedence: readonly WakeUp[] = ['closed', 'timeout', 'bookmark', 'change'];

export interface WakeUps {
  /** Resolves with the next reason to look; at once when one came since the last call. */
  next(): Promise<WakeUp>;
  stop(): void;
}

/** The four things a watch waits for, in one place to wait. */
export function createWakeUps(deps: {
  context: VerbContext;
  response: ServerResponse;
  timeoutMs: number;
  bookmarkIntervalMs: number;
  signal: AbortSignal;
}): WakeUps {
  const { clock, storage } = deps.context;
  const raised = new Set<WakeUp>();
  let wake: (() => void) | undefined;
  let cancelBookmark = (): void => {};

  const raise = (reason: WakeUp): void => {
    raised.add(reason);
    wake?.();
  };
  const onClose = (): void => raise('closed');
  const planBookmark = (): void => {
    cancelBookmark = clock.setTimer(deps.bookmarkIntervalMs, () => {
      raise('bookmark');
      planBookmark();
    });
  };

  const unsubscribe = storage.onChange(() => raise('change'));
  const cancelTimeout = clock.setTimer(deps.timeoutMs, () => raise('timeout'));
  planBookmark();
  deps.response.once('close', onClose);
  deps.signal.addEventListener('abort', onClose, { once: true });
  if (deps.signal.aborted || deps.response.closed) onClose();

  return {
    async next() {
      if (raised.size === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = undefined;
      }
      const reason = precedence.find((candidate) => raised.has(candidate)) ?? 'change';
      if (reason !== 'closed') raised.delete(reason);
      return reason;
    },
    stop() {
      unsubscribe();
      cancelTimeout();
      cancelBookmark();
      deps.response.off('close', onClose);
      deps.signal.removeEventListener('abort', onClose);
    },
  };
}
