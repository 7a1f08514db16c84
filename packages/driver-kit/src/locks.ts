import { createKeyedLock } from '@holdfast/core';
import { rpcError } from '@holdfast/rpc';

export interface VolumeLocks {
  /**
   * One operation per key at a time; a second one is turned away at once, not queued. `shared` keys are only read from: such
   * operations run beside one another, and not beside an exclusive one.
   */
  exclusive<T>(keys: readonly string[], work: () => Promise<T>, shared?: readonly string[]): Promise<T>;
  /** Keeps exclusive operations away until what it returns is called, beside whatever else only reads. */
  share(keys: readonly string[]): () => void;
  /** Waits its turn: for what different volumes share, such as a node's count of attachments. */
  inTurn<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createVolumeLocks(): VolumeLocks {
  const held = new Set<string>();
  const readers = new Map<string, number>();
  const turns = createKeyedLock();

  function release(keys: readonly string[], shared: readonly string[]): void {
    for (const key of keys) held.delete(key);
    for (const key of shared) {
      const left = (readers.get(key) ?? 1) - 1;
      if (left === 0) readers.delete(key);
      else readers.set(key, left);
    }
  }

  function take(keys: readonly string[], shared: readonly string[]): void {
    const taken = [
      ...keys.filter((key) => held.has(key) || readers.has(key)),
      ...shared.filter((key) => held.has(key)),
    ];
    if (taken.length > 0) {
      throw rpcError('Aborted', `another operation on ${taken.join(' or ')} is still running: try again later`);
    }
    for (const key of keys) held.add(key);
    for (const key of shared) readers.set(key, (readers.get(key) ?? 0) + 1);
  }

  return {
    share(keys) {
      take([], keys);
      return () => release([], keys);
    },
    async exclusive(keys, work, shared = []) {
      take(keys, shared);
      try {
        return await work();
      } finally {
        release(keys, shared);
      }
    },
    inTurn: (key, work) => turns.run(key, work),
  };
}

export function volumeKey(id: string): string {
  return `volume ${id}`;
}

export function snapshotKey(id: string): string {
  return `snapshot ${id}`;
}

export function groupKey(id: string): string {
  return `group ${id}`;
}
