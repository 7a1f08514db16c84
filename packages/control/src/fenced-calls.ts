import type { Fence } from './fence.ts';

/**
 * Calls that are made only while `fence` is held: two leaders must not act side by side. @throws FenceError instead of
 * a call
 */
export function fencedCalls<T extends { readonly [K in keyof T]: (...args: never[]) => Promise<unknown> }>(
  calls: T,
  fence: Fence,
): T {
  return new Proxy(calls, {
    get(target, key, receiver) {
      const call: unknown = Reflect.get(target, key, receiver);
      if (typeof call !== 'function') return call;
      return async (...args: unknown[]): Promise<unknown> => {
        fence.check();
        return await Reflect.apply(call, target, args);
      };
    },
  });
}
