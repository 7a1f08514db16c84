import { createKeyedLock } from '@holdfast/core';
import { rpcError } from '@holdfast/rpc';

export interface VolumeLocks {
  /** One operation per key at a time; a second one is turned away at once, not queued. */
  exclusive<T>(keys: readonly string[], work: () => Promise<T>): Promise<T>;
  /** Waits its turn: for what different volumes share, such as a node's count of attachments. */
  inTurn<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createVolumeLocks(): VolumeLocks {
  const lock = createKeyedLock();
  return {
    async exclusive(keys, work) {
      const release = lock.tryAcquire(...keys);
      if (release === undefined) {
        throw rpcError('Aborted', `another operation on ${keys.join(' or ')} is still running: try again later`);
      }
      try {
        return await work();
      } finally {
        release();
      }
    },
    inTurn: (key, work) => lock.run(key, work),
  };
}

export function volumeKey(id: string): string {
  return `volume ${id}`;
}
