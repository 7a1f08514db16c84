/**
 * Whoever asks while an answer is on its way gets that answer. Several probes of one pod, or an impatient one, put no second call before a
 * driver that has not answered the first.
 */
export function oneAtATime<T>(ask: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= ask().finally(() => {
      running = undefined;
    });
    return running;
  };
}
