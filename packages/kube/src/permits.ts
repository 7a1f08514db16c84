export interface Permits {
  /** Runs `work` once fewer than the limit are running; waits in order of arrival. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** Bounds how many pieces of work run at once. */
export function createPermits(limit: number): Permits {
  let free = limit;
  const waiting = new Set<() => void>();

  function acquire(signal: AbortSignal | undefined): Promise<void> {
    if (free > 0) {
      free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        waiting.delete(enter);
        reject(signal?.reason);
      };
      const enter = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      waiting.add(enter);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  function release(): void {
    const [next] = waiting;
    if (next === undefined) {
      free += 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  return {
    async run(work, signal) {
      signal?.throwIfAborted();
      await acquire(signal);
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}
