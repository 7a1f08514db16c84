/**
 * VolumeAttachments to publish again although their status says that they are attached. Few of them are in the queue at
 * a time: thousands that were lost together must not stand before what is to be attached now.
 */
export interface Repairs {
  add(name: string): void;
  /** It is to be published again, and has not been since. */
  has(name: string): boolean;
  /** A try has ended. One that failed is tried again with the queue's back-off, and does not keep the next one waiting. */
  tried(name: string, isDone: boolean): void;
  forget(name: string): void;
}

/** @param deps.limit how many may be in the queue at a time, those in back-off not counted */
export function createRepairs(deps: { limit: number; enqueue: (name: string) => void }): Repairs {
  const { limit, enqueue } = deps;
  const wanted = new Set<string>();
  // Of those, the ones that have not been handed to the queue, and the ones that it has not tried.
  const held = new Set<string>();
  const handed = new Set<string>();

  function handOver(): void {
    for (const name of held) {
      if (handed.size >= limit) return;
      held.delete(name);
      handed.add(name);
      enqueue(name);
    }
  }

  function forget(name: string): void {
    wanted.delete(name);
    held.delete(name);
    handed.delete(name);
    handOver();
  }

  return {
    add(name) {
      if (wanted.has(name)) return;
      wanted.add(name);
      held.add(name);
      handOver();
    },
    has: (name) => wanted.has(name),
    tried(name, isDone) {
      if (isDone) return forget(name);
      handed.delete(name);
      handOver();
    },
    forget,
  };
}
