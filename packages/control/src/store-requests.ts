/** Those who wait for a write, in the order they asked. One write serves all who asked before it began. */
export interface StoreRequests {
  /** Asks for a write; settles with it, or rejects when `signal` aborts first. */
  ask(signal: AbortSignal): Promise<void>;
  /** Resolves once somebody has asked. */
  asked(): Promise<void>;
  /** Takes those who wait now; call the result when their write is through, with what went wrong if anything did. */
  take(): (failure?: unknown) => void;
}

export function createStoreRequests(): StoreRequests {
  let waiting: PromiseWithResolvers<void>[] = [];
  let wake = Promise.withResolvers<void>();
  return {
    async ask(signal) {
      signal.throwIfAborted();
      const request = Promise.withResolvers<void>();
      const giveUp = () => request.reject(signal.reason);
      signal.addEventListener('abort', giveUp, { once: true });
      waiting.push(request);
      wake.resolve();
      try {
        await request.promise;
      } finally {
        signal.removeEventListener('abort', giveUp);
      }
    },
    asked: () => wake.promise,
    take() {
      const taken = waiting;
      waiting = [];
      wake = Promise.withResolvers<void>();
      return (failure) => {
        for (const request of taken) {
          if (failure === undefined) request.resolve();
          else request.reject(failure);
        }
      };
    },
  };
}
