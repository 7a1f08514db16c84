import { errorMessage, isAbort } from '@holdfast/core';

/**
 * Runs tasks side by side until all have ended. The first that fails aborts the others; once they have drained, its
 * error is thrown. A task that ends because `signal` aborted has not failed.
 */
export async function runGroup(
  tasks: Readonly<Record<string, (signal: AbortSignal) => Promise<void>>>,
  signal: AbortSignal,
): Promise<void> {
  const group = new AbortController();
  const follow = (): void => group.abort(signal.reason);
  if (signal.aborted) follow();
  signal.addEventListener('abort', follow, { once: true });

  let failure: { error: unknown } | undefined;
  const run = async (name: string, task: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    try {
      await task(group.signal);
    } catch (error) {
      if (isAbort(error, group.signal)) return;
      failure ??= { error };
      group.abort(new Error(`${name} failed: ${errorMessage(error)}`));
    }
  };
  try {
    await Promise.all(Object.entries(tasks).map(([name, task]) => run(name, task)));
  } finally {
    signal.removeEventListener('abort', follow);
  }
  if (failure !== undefined) throw failure.error;
}
