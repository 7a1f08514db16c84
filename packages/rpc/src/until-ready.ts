import { connectivityState, type Client as GrpcClient } from '@grpc/grpc-js';
import type { Clock } from '@holdfast/core';

/** The class that grpc-js exports under this name has private parts; a client gives out the interface. */
export type Channel = ReturnType<GrpcClient['getChannel']>;

const stillWaitingEveryMs = 10_000;

/** Waits until a channel is connected. The channel stays open whatever the outcome. */
export function untilReady(deps: {
  channel: Channel;
  clock: Clock;
  /** 0 waits for ever. */
  timeoutMs: number;
  onStillWaiting: () => void;
  signal: AbortSignal | undefined;
}): Promise<'ready' | 'timeout' | 'aborted'> {
  const { channel, clock, timeoutMs, onStillWaiting, signal } = deps;
  return new Promise((resolve) => {
    let isSettled = false;
    const settle = (outcome: 'ready' | 'timeout' | 'aborted') => {
      isSettled = true;
      cancelTimeout?.();
      cancelReminder();
      signal?.removeEventListener('abort', onAbort);
      resolve(outcome);
    };
    const onAbort = () => settle('aborted');
    const remind = () => {
      onStillWaiting();
      cancelReminder = clock.setTimer(stillWaitingEveryMs, remind);
    };
    const look = () => {
      if (isSettled) return;
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) settle('ready');
      else channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, look);
    };

    const cancelTimeout = timeoutMs > 0 ? clock.setTimer(timeoutMs, () => settle('timeout')) : undefined;
    let cancelReminder = clock.setTimer(stillWaitingEveryMs, remind);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) settle('aborted');
    else look();
  });
}
