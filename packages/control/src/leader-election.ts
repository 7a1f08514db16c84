import { type Clock, DeadlineError, type Logger, linkSignals, systemClock } from '@holdfast/core';
import type { KubeClient } from '@holdfast/kube';
import type { ElectionMetrics } from './election-metrics.ts';
import type { EventRecorder } from './event-recorder.ts';
import { createFence, type Fence } from './fence.ts';
import { createLeaseLock } from './lease-lock.ts';
import { isNoteStored, type LeaseNotes, readNote } from './lease-notes.ts';
import { createStoreRequests } from './store-requests.ts';

export interface LeaderElectionDeps {
  /**
   * A client of its own, so that throttled work cannot cost the lease. Its requests should time out well within
   * `renewDeadlineMs`, so that one on a dead connection leaves time for another.
   */
  client: KubeClient;
  leaseName: string;
  namespace: string;
  /** The same after a restart of the container (the pod's name), so that the lease is taken up again at once. */
  identity: string;
  leaseDurationMs: number;
  renewDeadlineMs: number;
  retryPeriodMs: number;
  labels?: Readonly<Record<string, string>>;
  releaseOnExit: boolean;
  /** The work of a leader. Its signal aborts when the lease is lost or the process is to stop. */
  onStartedLeading: (signal: AbortSignal, fence: Fence, notes: LeaseNotes) => Promise<void>;
  log: Logger;
  clock?: Clock;
  recorder?: EventRecorder;
  metrics?: ElectionMetrics;
  random?: () => number;
  signal: AbortSignal;
}

export interface LeaderHealth {
  isHealthy: boolean;
  message: string;
}

export interface LeaderElector {
  /**
   * `lost`: another may lead now; exit without waiting for anything. `stopped`: the signal aborted or the work ended, the
   * work has drained, and the lease is released if asked for. Rejects with what the work rejected with.
   */
  run(): Promise<'lost' | 'stopped'>;
  /** For /healthz/leader-election: bad only for a leader whose last renewal is older than the lease and 20 s. */
  leaderHealth(): LeaderHealth;
  /** Who holds the lease as far as seen; '' for nobody. */
  holder(): string;
  readonly fence: Fence;
}

// client-go's JitterFactor.
const JITTER = 1.2;
// client-go's tolerance in HealthzAdaptor: a leader that should have died but has not is reported after it.
const HEALTH_TOLERANCE_MS = 20_000;
// Longest a clean exit waits for the API server to take the lease back.
const RELEASE_TIMEOUT_MS = 5_000;

/**
 * Leader election over a Lease, by client-go's rules. As there, it is not fencing: for a short time two processes may
 * believe that they lead. The fence handed to the work makes that time as short as one request.
 */
export function createLeaderElector(deps: LeaderElectionDeps): LeaderElector {
  const { leaseName, leaseDurationMs, renewDeadlineMs, retryPeriodMs, log, recorder, metrics } = deps;
  const { clock = systemClock, random = Math.random, signal } = deps;
  checkDurations(deps);
  const fence = createFence({ leaseName, leaseDurationMs, clock });
  const texts = new Map<string, () => string | undefined>();
  const requests = createStoreRequests();
  const lock = createLeaseLock({ ...deps, labels: deps.labels ?? {}, notes: texts, fence, clock });
  const notes: LeaseNotes = {
    read: (key) => readNote(lock.lease(), key),
    keep: (key, text) => void texts.set(key, text),
    touch() {},
    store: (until) => requests.ask(until),
    isStored: (key) => isNoteStored(lock.lease(), key, texts),
  };
  let renewedMs: number | undefined;

  function announce(text: string): void {
    const lease = lock.lease();
    if (lease) recorder?.event(lease, 'Normal', 'LeaderElection', `${deps.identity} ${text}`);
  }

  async function acquire(): Promise<boolean> {
    log.info('Attempting to acquire leader lease', { lease: `${deps.namespace}/${leaseName}` });
    while (!signal.aborted) {
      try {
        if (await lock.tryAcquireOrRenew(signal)) return true;
        await clock.sleep(retryPeriodMs * (1 + JITTER * random()), signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
    return false;
  }

  /** Tries until it holds or the renew deadline has passed. */
  async function renewOnce(until: AbortSignal): Promise<boolean> {
    const deadline = new AbortController();
    const cancel = clock.setTimer(renewDeadlineMs, () => deadline.abort(new DeadlineError(renewDeadlineMs)));
    const either = linkSignals(until, deadline.signal);
    try {
      for (;;) {
        const startedMs = clock.monotonicMs();
        if (await lock.tryAcquireOrRenew(either)) break;
        // Tries start a period apart, as in client-go: one that hung is followed at once by the next.
        await clock.sleep(retryPeriodMs - (clock.monotonicMs() - startedMs), either);
      }
      renewedMs = clock.monotonicMs();
      return true;
    } catch (error) {
      if (either.aborted) return false;
      throw error;
    } finally {
      cancel();
    }
  }

  /**
   * Returns when the lease is lost or `until` aborts. Whoever wants notes stored has the next renewal come at once, and
   * those who ask during one share the one after it.
   */
  async function keepRenewing(until: AbortSignal): Promise<void> {
    for (;;) {
      const pause = new AbortController();
      const sleep = clock.sleep(retryPeriodMs, linkSignals(until, pause.signal)).catch(() => {});
      await Promise.race([sleep, requests.asked()]);
      pause.abort();
      if (until.aborted) return;
      const settle = requests.take();
      const isRenewed = await renewOnce(until);
      settle(isRenewed ? undefined : new Error(`the lease "${leaseName}" could not be written`));
      if (!isRenewed) return;
    }
  }

  async function lead(): Promise<'lost' | 'stopped'> {
    const leading = new AbortController();
    let workError: { error: unknown } | undefined;
    const workEnd = new AbortController();
    const work = deps
      .onStartedLeading(linkSignals(signal, leading.signal), fence, notes)
      .catch((error: unknown) => {
        workError = { error };
      })
      .finally(() => workEnd.abort());

    const stop = linkSignals(signal, workEnd.signal);
    await keepRenewing(stop);
    if (!stop.aborted) {
      leading.abort(new Error(`lost the lease "${leaseName}"`));
      return 'lost';
    }
    // Keep the lease while the work drains, else the next leader starts beside it.
    await keepRenewing(workEnd.signal);
    if (!workEnd.signal.aborted) {
      leading.abort(new Error(`lost the lease "${leaseName}"`));
      return 'lost';
    }
    await work;
    if (deps.releaseOnExit) await releaseLease();
    if (workError) throw workError.error;
    return 'stopped';
  }

  async function releaseLease(): Promise<void> {
    const timeout = new AbortController();
    const cancel = clock.setTimer(RELEASE_TIMEOUT_MS, () => timeout.abort(new DeadlineError(RELEASE_TIMEOUT_MS)));
    await lock.release(timeout.signal);
    cancel();
  }

  return {
    fence,
    holder: lock.holder,
    async run() {
      metrics?.setLeading(leaseName, false);
      if (!(await acquire())) return 'stopped';
      renewedMs = clock.monotonicMs();
      metrics?.setLeading(leaseName, true);
      log.info('Became leader, starting', { lease: leaseName, identity: deps.identity });
      announce('became leader');
      try {
        return await lead();
      } finally {
        fence.close();
        renewedMs = undefined;
        requests.take()(new Error(`no longer leading by the lease "${leaseName}"`));
        metrics?.setLeading(leaseName, false);
        announce('stopped leading');
        log.info('Stopped leading', { lease: leaseName, identity: deps.identity });
      }
    },
    leaderHealth() {
      if (renewedMs === undefined) return { isHealthy: true, message: 'ok' };
      const ageMs = clock.monotonicMs() - renewedMs;
      if (ageMs <= leaseDurationMs + HEALTH_TOLERANCE_MS) return { isHealthy: true, message: 'ok' };
      return {
        isHealthy: false,
        message: `failed election to renew leadership on lease ${leaseName}: last renewed ${Math.floor(ageMs / 1_000)} s ago`,
      };
    },
  };
}

function checkDurations(deps: LeaderElectionDeps): void {
  if (deps.leaseDurationMs <= deps.renewDeadlineMs) {
    throw new Error('--leader-election-lease-duration must be greater than --leader-election-renew-deadline');
  }
  if (deps.renewDeadlineMs <= deps.retryPeriodMs * JITTER) {
    throw new Error('--leader-election-renew-deadline must be greater than --leader-election-retry-period times 1.2');
  }
  if (deps.retryPeriodMs < 1) throw new Error('--leader-election-retry-period must be greater than zero');
  if (deps.identity === '') throw new Error('leader election needs an identity; set the hostname or the pod name');
}
