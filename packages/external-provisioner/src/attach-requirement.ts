import { type Clock, errorMessage, type Logger } from '@holdfast/core';
import { csiDrivers, isForbidden, isNotFound, type KubeClient } from '@holdfast/kube';
import type { DriverTraits } from './driver-traits.ts';

/** How long "no CSIDriver object" is believed: charts create it about when they create us. */
const ABSENT_MS = 60_000;

/**
 * Whether csi-attacher will put its finalizer on the driver's volumes, so that they can be born with it and the first
 * attach needs one write less. Only with a CSIDriver that has `attachRequired` (which never changes): without an
 * attacher at work, a volume deleted by hand would keep a finalizer that nobody removes. Any doubt is a no; then the
 * attacher adds it itself.
 */
export function createAttachRequirement(deps: {
  client: KubeClient;
  driver: DriverTraits;
  clock: Clock;
  log: Logger;
}): (signal: AbortSignal) => Promise<boolean> {
  const { client, driver, clock, log } = deps;
  let known: { isRequired: boolean; untilMs: number } | undefined;
  let pending: Promise<boolean> | undefined;

  async function ask(signal: AbortSignal): Promise<boolean> {
    let isRequired = false;
    let validMs = Number.POSITIVE_INFINITY;
    try {
      const csiDriver = await client.get(csiDrivers, { name: driver.driverName }, { signal });
      isRequired = csiDriver.spec.attachRequired ?? true;
    } catch (error) {
      if (isForbidden(error)) {
        log.info('Not allowed to get csidrivers; csi-attacher will add its finalizer to volumes itself', {
          driver: driver.driverName,
        });
      } else {
        validMs = ABSENT_MS;
        if (!isNotFound(error))
          log.warn('Cannot read the CSIDriver object', { driver: driver.driverName, error: errorMessage(error) });
      }
    }
    known = { isRequired, untilMs: clock.monotonicMs() + validMs };
    return isRequired;
  }

  return async (signal) => {
    if (!driver.hasAttachments) return false;
    if (known && clock.monotonicMs() < known.untilMs) return known.isRequired;
    pending ??= ask(signal).finally(() => {
      pending = undefined;
    });
    return await pending;
  };
}
