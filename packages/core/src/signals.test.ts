import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { DeadlineError, deadlineSignal, isAbort, lingeringSignal, linkSignals, untilAborted } from './signals.ts';

describe('linkSignals', () => {
  it('aborts with the first reason', () => {
    const [a, b] = [new AbortController(), new AbortController()];
    const linked = linkSignals(a.signal, undefined, b.signal);
    b.abort('second');
    expect(linked.reason).toBe('second');
    a.abort('first');
    expect(linked.reason).toBe('second');
  });

  it('hands back a single signal, and one that never aborts for none', () => {
    const { signal } = new AbortController();
    expect(linkSignals(signal, undefined)).toBe(signal);
    expect(linkSignals(undefined).aborted).toBe(false);
  });
});

describe('deadlineSignal', () => {
  it('aborts with a DeadlineError', async () => {
    const { signal } = deadlineSignal(1);
    await untilAborted(signal);
    expect(signal.reason).toBeInstanceOf(DeadlineError);
    expect(signal.reason).toMatchObject({ timeoutMs: 1 });
  });

  it('follows its parent, and lets go of it when cancelled', () => {
    const parent = new AbortController();
    const followed = deadlineSignal(60_000, parent.signal);
    const cancelled = deadlineSignal(60_000, parent.signal);
    cancelled.cancel();
    expect(getEventListeners(parent.signal, 'abort')).toHaveLength(1);
    parent.abort('stop');
    expect(followed.signal.reason).toBe('stop');
    expect(cancelled.signal.aborted).toBe(false);
  });

  it('is aborted from the start under an aborted parent', () => {
    expect(deadlineSignal(60_000, AbortSignal.abort('gone')).signal.reason).toBe('gone');
  });
});

describe('lingeringSignal', () => {
  it('follows its parent after the grace, with its reason', async () => {
    const parent = new AbortController();
    const { signal } = lingeringSignal(parent.signal, 1);
    parent.abort('stop');
    expect(signal.aborted).toBe(false);
    await untilAborted(signal);
    expect(signal.reason).toBe('stop');
  });

  it('gives the grace under a parent that aborted before', async () => {
    const { signal } = lingeringSignal(AbortSignal.abort('gone'), 1);
    expect(signal.aborted).toBe(false);
    await untilAborted(signal);
    expect(signal.reason).toBe('gone');
  });

  it('lets go of its parent when cancelled', () => {
    const parent = new AbortController();
    lingeringSignal(parent.signal, 60_000).cancel();
    expect(getEventListeners(parent.signal, 'abort')).toHaveLength(0);
  });
});

describe('isAbort', () => {
  it('knows the reason, an AbortError, and an error caused by one', () => {
    const reason = new Error('stop');
    const signal = AbortSignal.abort(reason);
    expect(isAbort(reason, signal)).toBe(true);
    expect(isAbort(new DOMException('x', 'AbortError'), signal)).toBe(true);
    expect(isAbort(new Error('call failed', { cause: reason }), signal)).toBe(true);
  });

  it('is false for another error, and while the signal has not aborted', () => {
    expect(isAbort(new Error('other'), AbortSignal.abort())).toBe(false);
    expect(isAbort(new DOMException('x', 'AbortError'), new AbortController().signal)).toBe(false);
  });
});
