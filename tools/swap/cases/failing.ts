import type { RpcError } from '@holdfast/rpc';
import type { ScriptedDriver } from '@holdfast/sandbox/testing';

/** From now on the driver answers so many calls with the error, and then as it did before. */
export function failing(
  driver: ScriptedDriver,
  method: Parameters<ScriptedDriver['on']>[0],
  times: number,
  error: RpcError,
): void {
  let left = times;
  const restore = driver.on(method, async () => {
    left -= 1;
    if (left === 0) restore();
    throw error;
  });
}
