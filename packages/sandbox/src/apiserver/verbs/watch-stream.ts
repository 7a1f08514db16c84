import type { ServerResponse } from 'node:http';
import type { JsonObject } from '../json.ts';
import type { Storage } from '../storage.ts';

/** The client is gone, or was closed because it does not read. */
export class WatchClosedError extends Error {
  constructor() {
    super('the watch is closed');
    this.name = 'WatchClosedError';
  }
}

export interface WatchStream {
  /** Writes one event. Waits until the client has read enough of what came before; throws {@link WatchClosedError}. */
  send(event: JsonObject): Promise<void>;
}

export function createWatchStream(
  response: ServerResponse,
  deps: { storage: Storage /** The history has passed what this watch has yet to send. */; isPassed: () => boolean },
): WatchStream {
  return {
    async send(event) {
      if (response.closed || response.destroyed) throw new WatchClosedError();
      if (response.write(`${JSON.stringify(event)}\n`)) return;
      await drained(response, deps);
    },
  };
}

function drained(response: ServerResponse, deps: { storage: Storage; isPassed: () => boolean }): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      response.off('drain', onDrain);
      response.off('close', onClose);
      unsubscribe();
      finish();
    };
    const onDrain = (): void => settle(resolve);
    const onClose = (): void => settle(() => reject(new WatchClosedError()));
    const unsubscribe = deps.storage.onChange(() => {
      if (deps.isPassed()) response.destroy();
    });
    response.once('drain', onDrain);
    response.once('close', onClose);
    if (response.closed) onClose();
  });
}
