import type { Clock, Logger } from '@holdfast/core';
import { errorMessage } from '@holdfast/core';
import { isConflict, isNotFound, type KubeClient, type Lease, leases } from '@holdfast/kube';
import type { ElectionMetrics } from './election-metrics.ts';
import type { LeaseFence } from './fence.ts';
import type { NoteTexts } from './lease-notes.ts';
import { claimRecord, isSameRecord, newLease, recordOf, releaseRecord, withRecord } from './lease-record.ts';

export interface LeaseLock {
  /** Takes or renews the lease if it is free, expired or ours. Rejects only when the signal aborts. */
  tryAcquireOrRenew(signal: AbortSignal): Promise<boolean>;
  /** Gives the lease back if it is ours. */
  release(signal: AbortSignal): Promise<void>;
  /** Who holds the lease as far as seen. */
  holder(): string;
  /** The lease as last seen, for events about it. */
  lease(): Lease | undefined;
}

export interface LeaseLockDeps {
  client: KubeClient;
  leaseName: string;
  namespace: string;
  identity: string;
  leaseDurationMs: number;
  labels: Readonly<Record<string, string>>;
  /** Asked at each write. */
  notes: NoteTexts;
  fence: LeaseFence;
  log: Logger;
  clock: Clock;
  metrics?: ElectionMetrics;
}

/**
 * One Lease object as a lock, by client-go's rules. Whether a foreign lease has expired is measured from when this process
 * last saw it change, on its own clock: the times in the lease come from other clocks and are never compared.
 */
export function createLeaseLock(deps: LeaseLockDeps): LeaseLock {
  const { client, identity, labels, notes, fence, log, clock, leaseDurationMs } = deps;
  const ref = { name: deps.leaseName, namespace: deps.namespace };
  let observed: { lease: Lease; atMs: number } | undefined;

  function observe(lease: Lease): void {
    if (observed && isSameRecord(recordOf(observed.lease), recordOf(lease))) observed.lease = lease;
    else observed = { lease, atMs: clock.monotonicMs() };
  }

  function holder(): string {
    return observed ? recordOf(observed.lease).holderIdentity : '';
  }

  function hasExpired(): boolean {
    if (!observed) return true;
    return clock.monotonicMs() >= observed.atMs + recordOf(observed.lease).leaseDurationSeconds * 1_000;
  }

  async function claim(signal: AbortSignal): Promise<void> {
    const sentMs = clock.monotonicMs();
    const record = claimRecord(observed && recordOf(observed.lease), {
      identity,
      leaseDurationMs,
      nowMs: clock.nowMs(),
    });
    const lease = observed
      ? await client.replace(leases, ref, withRecord(observed.lease, record, { labels, notes }), { signal })
      : await client.create(leases, newLease(ref, record, { labels, notes }), { signal });
    observed = { lease, atMs: clock.monotonicMs() };
    fence.extend(sentMs);
  }

  async function attempt(signal: AbortSignal): Promise<boolean> {
    if (observed && holder() === identity && !hasExpired()) {
      try {
        await claim(signal);
        return true;
      } catch (error) {
        signal.throwIfAborted();
        log.debug(2, 'Renewing without a read failed, reading the lease', { lease: ref, error: errorMessage(error) });
      }
      deps.metrics?.slowPath(ref.name);
    }
    try {
      observe(await client.get(leases, ref, { signal }));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      observed = undefined;
    }
    const current = holder();
    if (current !== '' && current !== identity && !hasExpired()) {
      log.debug(4, 'The lease is held by another', { lease: ref, holder: current });
      return false;
    }
    await claim(signal);
    return true;
  }

  async function putRelease(lease: Lease, signal: AbortSignal): Promise<void> {
    const record = releaseRecord(recordOf(lease), clock.nowMs());
    observe(await client.replace(leases, ref, withRecord(lease, record, { labels, notes }), { signal }));
  }

  return {
    async tryAcquireOrRenew(signal) {
      try {
        return await attempt(signal);
      } catch (error) {
        signal.throwIfAborted();
        log.error('Cannot take or renew the lease', { lease: ref, error: errorMessage(error) });
        return false;
      }
    },
    async release(signal) {
      if (!observed || holder() !== identity) return;
      fence.close();
      try {
        await putRelease(observed.lease, signal).catch(async (error: unknown) => {
          // A renewal cut off on its way may have reached the server after all.
          if (!isConflict(error)) throw error;
          const lease = await client.get(leases, ref, { signal });
          if (recordOf(lease).holderIdentity === identity) await putRelease(lease, signal);
        });
      } catch (error) {
        log.error('Cannot release the lease; it will expire', { lease: ref, error: errorMessage(error) });
      }
    },
    holder,
    lease: () => observed?.lease,
  };
}
