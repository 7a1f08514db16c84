// What must not outlive this process, however it ends: by its end, by an error that nobody caught, by a signal that nobody
// listens for. SIGKILL of this process is not seen here: programs end with it by their parent-death signal (program.ts), and what
// it left on disk is swept by the next rig (temporary-folder.ts).
import { constants } from 'node:os';

const resorts = new Set<() => void>();
let isWatching = false;

/**
 * `act` runs when this process ends before `forget` was called. It is synchronous: nothing else runs by then.
 * @returns forget
 */
export function asLastResort(act: () => void): () => void {
  watch();
  resorts.add(act);
  return () => void resorts.delete(act);
}

function watch(): void {
  if (isWatching) return;
  isWatching = true;
  process.on('exit', () => {
    // The newest first: programs before the folder they work in.
    for (const act of [...resorts].toReversed()) {
      try {
        act();
      } catch (error) {
        process.stderr.write(`rig: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
  });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // Whoever else listens wants to end in order.
    const endUnlessHandled = (): void => {
      if (process.listenerCount(name) === 1) process.exit(128 + constants.signals[name]);
    };
    process.on(name, endUnlessHandled);
  }
}
