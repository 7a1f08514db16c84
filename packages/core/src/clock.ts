export interface Clock {
  /** Wall time in milliseconds since 1970. Only for what people read; it may jump. */
  nowMs(): number;
  /** Milliseconds that never go back. For every measured interval. */
  monotonicMs(): number;
  /** Rejects with `signal.reason` when the signal aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `fire` once after `ms`; the returned function cancels it. */
  setTimer(ms: number, fire: () => void): () => void;
}

/** Node fires a timer with a longer delay at once, so longer waits are made of several. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

function setTimer(ms: number, fire: () => void): () => void {
  let remainingMs = Math.max(0, ms);
  let handle: NodeJS.Timeout;
  const arm = (): void => {
    const stepMs = Math.min(remainingMs, MAX_TIMEOUT_MS);
    remainingMs -= stepMs;
    handle = setTimeout(() => (remainingMs > 0 ? arm() : fire()), stepMs);
  };
  arm();
  return () => clearTimeout(handle);
}

/** `Clock.sleep` on top of any clock's `setTimer`. */
export function sleepOn(timers: Pick<Clock, 'setTimer'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = timers.setTimer(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal),
  setTimer,
};
