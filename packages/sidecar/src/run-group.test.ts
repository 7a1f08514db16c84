import { untilAborted } from '@holdfast/core';
import { describe, expect, it } from 'vitest';
import { runGroup } from './run-group.ts';

describe('runGroup', () => {
  it('aborts the others when one fails, waits for them, and throws the first error', async () => {
    const seen: string[] = [];
    const running = runGroup(
      {
        fails: async () => {
          throw new Error('broken');
        },
        drains: async (signal) => {
          await untilAborted(signal);
          await new Promise((resolve) => setImmediate(resolve));
          seen.push('drained');
          throw new Error('broken while draining');
        },
      },
      new AbortController().signal,
    );
    await expect(running).rejects.toThrow('broken');
    expect(seen).toEqual(['drained']);
  });

  it('ends quietly when its signal aborts, and leaves no listener', async () => {
    const controller = new AbortController();
    const running = runGroup(
      {
        waits: (signal) => untilAborted(signal),
        throwsReason: async (signal) => {
          await untilAborted(signal);
          throw signal.reason;
        },
      },
      controller.signal,
    );
    controller.abort(new Error('received SIGTERM'));
    await expect(running).resolves.toBeUndefined();
  });

  it('throws what fails while draining after its signal aborted', async () => {
    const running = runGroup(
      { drains: () => Promise.reject(new Error('cannot release')) },
      AbortSignal.abort(new Error('stop')),
    );
    await expect(running).rejects.toThrow('cannot release');
  });

  it('lets the others go on when one is done', async () => {
    const controller = new AbortController();
    const ends: string[] = [];
    const running = runGroup(
      {
        short: async () => void ends.push('short'),
        long: async (signal) => {
          await untilAborted(signal);
          ends.push('long');
        },
      },
      controller.signal,
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(ends).toEqual(['short']);
    controller.abort();
    await running;
    expect(ends).toEqual(['short', 'long']);
  });
});
