export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`deadline of ${timeoutMs} ms exceeded`);
    this.timeoutMs = timeoutMs;
  }
}

/** A signal that aborts with the first of `signals`, and never when there is none. */
export function linkSignals(...signals: (AbortSignal | undefined)[]): AbortSignal {
  const given = signals.filter((signal) => signal !== undefined);
  const [only] = given;
  return given.length === 1 && only !== undefined ? only : AbortSignal.any(given);
}

/**
 * Aborts with a DeadlineError after `timeoutMs`, or with the parent's reason. Call `cancel` when the work is over:
 * it frees the timer and lets go of the parent, which may live as long as the process.
 */
export function deadlineSignal(timeoutMs: number, parent?: AbortSignal): { signal: AbortSignal; cancel(): void } {
  const controller = new AbortController();
  if (parent?.aborted) {
    controller.abort(parent.reason);
    return { signal: controller.signal, cancel() {} };
  }
  const onParent = (): void => {
    clearTimeout(timer);
    controller.abort(parent?.reason);
  };
  const timer = setTimeout(() => {
    parent?.removeEventListener('abort', onParent);
    controller.abort(new DeadlineError(timeoutMs));
  }, timeoutMs);
  parent?.addEventListener('abort', onParent, { once: true });
  return {
    signal: controller.signal,
    cancel() {
      clearTimeout(timer);
      parent?.removeEventListener('abort', onParent);
    },
  };
}

/**
 * Aborts `graceMs` after the parent, with its reason: for what must still be finished by someone who was told to stop.
 * Call `cancel` when the work is over: it frees the timer and lets go of the parent.
 */
export function lingeringSignal(parent: AbortSignal, graceMs: number): { signal: AbortSignal; cancel(): void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onParent = (): void => {
    timer = setTimeout(() => controller.abort(parent.reason), graceMs);
  };
  if (parent.aborted) onParent();
  else parent.addEventListener('abort', onParent, { once: true });
  return {
    signal: controller.signal,
    cancel() {
      clearTimeout(timer);
      parent.removeEventListener('abort', onParent);
    },
  };
}

/** Whether `error` is what `signal` caused: its reason itself, or an AbortError, or an error with one of them as cause. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  for (let each = error; each !== undefined; each = each instanceof Error ? each.cause : undefined) {
    if (each === signal.reason) return true;
    if (each instanceof Error && each.name === 'AbortError') return true;
  }
  return false;
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
