export interface KeyedLock {
  /** Takes all keys or none. The returned function releases them; calling it again does nothing. */
  tryAcquire(...keys: string[]): (() => void) | undefined;
  /** Waits its turn on `key`, first come first served, and holds it while `work` runs. Rejects with `signal.reason` when it aborts while waiting. */
  run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function createKeyedLock(): KeyedLock {
  /** Held keys, each with those that wait for it. */
  const waiting = new Map<string, Set<() => void>>();

  function releaseOne(key: string): void {
    const queue = waiting.get(key);
    const [next] = queue ?? [];
    if (queue === undefined || next === undefined) {
      waiting.delete(key);
      return;
    }
    queue.delete(next);
    next();
  }

  function releaseOnce(keys: Iterable<string>): () => void {
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      for (const key of keys) releaseOne(key);
    };
  }

  function acquire(key: string, signal: AbortSignal | undefined): Promise<void> {
    const queue = waiting.get(key);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (queue === undefined) {
      waiting.set(key, new Set());
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        queue.delete(onTurn);
        reject(signal?.reason);
      };
      const onTurn = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      queue.add(onTurn);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  return {
    tryAcquire(...keys) {
      if (keys.some((key) => waiting.has(key))) return undefined;
      const distinct = new Set(keys);
      for (const key of distinct) waiting.set(key, new Set());
      return releaseOnce(distinct);
    },

    async run(key, work, signal) {
      await acquire(key, signal);
      const release = releaseOnce([key]);
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}
