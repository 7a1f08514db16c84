import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { Logger } from '@holdfast/core';
import { type FileLock, takeFileLock } from '@holdfast/mount';
import { rpcError } from '@holdfast/rpc';
import { isMissing } from './durable-file.ts';
import { pathInside } from './path-inside.ts';

export interface ControllerTurn {
  /**
   * Waits until this process alone works on the pool as its controller. Call what is returned when the work is done.
   * @throws RpcError Unavailable when another one does not let go
   */
  enter(): Promise<() => void>;
  /** At the start: sees to what a crash left, unless another controller is at work and will. */
  begin(): Promise<void>;
}

/** A second replica stands by with a driver of its own; the leader of the sidecars calls one of them at a time. */
const lingerMs = 2_000;
const waitMs = 8_000;

/**
 * Several controllers on one pool take turns by a lock on `controller.lock`. A turn goes on while there are calls and a little
 * longer, so that a burst takes one; whoever was not the last to have it first makes good what the last one may have left.
 */
export function createControllerTurn(deps: {
  readonly pool: string;
  /** Forgets what is remembered of the pool, and finishes or undoes what was begun. */
  readonly recover: () => Promise<void>;
  readonly log: Logger;
  readonly lingerMs?: number;
  readonly waitMs?: number;
}): ControllerTurn {
  const file = pathInside(deps.pool, 'controller.lock');
  const self = randomUUID();
  let users = 0;
  let taken: Promise<FileLock | undefined> | undefined;
  let linger: NodeJS.Timeout | undefined;

  async function take(): Promise<FileLock | undefined> {
    const lock = await takeFileLock(file, deps.waitMs ?? waitMs);
    if (lock === undefined) return undefined;
    try {
      if ((await lastHolder(file)) !== self) {
        await deps.recover();
        await writeFile(file, self, { mode: 0o600 });
      }
    } catch (error) {
      lock.release();
      throw error;
    }
    return lock;
  }

  function drop(which: Promise<FileLock | undefined>): void {
    if (taken === which) taken = undefined;
  }

  async function join(): Promise<FileLock | undefined> {
    const mine = (taken ??= take());
    const lock = await mine.catch((error: unknown) => {
      drop(mine);
      throw error;
    });
    if (lock === undefined || lock.lost.aborted) {
      drop(mine);
      return lock === undefined ? undefined : join();
    }
    return lock;
  }

  function leave(): void {
    users -= 1;
    if (users > 0) return;
    linger = setTimeout(() => {
      const ending = taken;
      taken = undefined;
      void ending?.then((lock) => lock?.release()).catch(() => {});
    }, deps.lingerMs ?? lingerMs).unref();
  }

  async function tryEnter(): Promise<(() => void) | undefined> {
    users += 1;
    clearTimeout(linger);
    const lock = await join().catch((error: unknown) => {
      leave();
      throw error;
    });
    if (lock !== undefined) return once(leave);
    leave();
    return undefined;
  }

  return {
    async enter() {
      const left = await tryEnter();
      if (left !== undefined) return left;
      throw rpcError(
        'Unavailable',
        `another controller of the pool ${deps.pool} is at work: this one takes over when it stops. Try again later`,
      );
    },
    async begin() {
      const left = await tryEnter();
      left?.();
      if (left === undefined)
        deps.log.info('Another controller works on this pool; this one stands by', { pool: deps.pool });
    },
  };
}

async function lastHolder(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}
