import {
  createElectionMetrics,
  createEventRecorder,
  createLeaderElector,
  createStandaloneNotes,
  type Explainer,
  type Fence,
  type LeaderElector,
  type LeaseNotes,
  openFence,
  sanitizeLeaseName,
} from '@holdfast/control';
import { errorMessage } from '@holdfast/core';
import type { KubeClient } from '@holdfast/kube';
import { ExitError } from './exit.ts';
import { EXPLAIN_PATH, explainRoute, type Leadership } from './explain-route.ts';
import type { FlagValues } from './flag-spec.ts';
import { healthRoute } from './http-routes.ts';
import type { Route } from './http-server.ts';
import { leaseNamespace } from './lease-namespace.ts';
import { serveMetrics } from './observability.ts';
import type { ProgramContext } from './run-program.ts';
import type { standardFlags } from './standard-flags.ts';

export type Work = (signal: AbortSignal, fence: Fence, notes: LeaseNotes | undefined) => Promise<void>;

export interface ElectionDeps {
  readonly values: FlagValues<typeof standardFlags>;
  readonly context: ProgramContext;
  /** A client of its own, see KubeAccess. */
  readonly client: KubeClient;
  /** Sanitized here. */
  readonly leaseName: string;
  /** What to do while leading, or at once without election. It drains when its signal aborts. */
  readonly work: Work;
  /** The work notes what it must not forget on the lease, which is used then without election too. */
  readonly isNoting?: boolean;
  /** What the work says of its objects, for /debug/explain on --http-endpoint. */
  readonly explainer?: () => Explainer | undefined;
  readonly signal: AbortSignal;
}

/**
 * Serves metrics and health, then does the work: as leader when --leader-election is set, else at once. Ends when the
 * work has drained after `signal`; the lease is released then, so that a successor need not wait for it to expire.
 * @throws ExitError when the lease is lost
 */
export async function runWithElection(deps: ElectionDeps): Promise<void> {
  const { values, context, signal, work } = deps;
  const election = values.leaderElection ? await prepare(deps) : undefined;
  const server = await serveMetrics(values, context, signal, routesOf(deps, election));
  try {
    if (election !== undefined) await election.run();
    else if (deps.isNoting) await workWithNotes(deps);
    else await work(signal, openFence, undefined);
  } finally {
    await server?.stop();
  }
}

async function workWithNotes({ values, context, client, leaseName, work, signal }: ElectionDeps): Promise<void> {
  const namespace = await leaseNamespace(values.leaderElectionNamespace, context.env);
  const standalone = createStandaloneNotes({
    client,
    leaseName: sanitizeLeaseName(leaseName),
    namespace,
    log: context.log,
  });
  await standalone.run((notes) => work(signal, openFence, notes), signal);
}

interface Election {
  readonly elector: LeaderElector;
  /** `namespace/name`. */
  readonly lease: string;
  run(): Promise<void>;
}

function routesOf({ explainer }: ElectionDeps, election: Election | undefined): Record<string, Route> {
  return {
    ...(election && {
      '/healthz/leader-election': healthRoute(() => Promise.resolve(election.elector.leaderHealth())),
    }),
    ...(explainer && { [EXPLAIN_PATH]: explainRoute({ explainer, leadership: () => leadershipOf(election) }) }),
  };
}

function leadershipOf(election: Election | undefined): Leadership {
  if (election === undefined) return { kind: 'alone' };
  const { elector, lease } = election;
  return elector.fence.isHeld ? { kind: 'leading', lease } : { kind: 'standingBy', lease, holder: elector.holder() };
}

async function prepare(deps: ElectionDeps): Promise<Election> {
  const { values, context, client, work, signal } = deps;
  const leaseName = sanitizeLeaseName(deps.leaseName);
  const identity = sanitizeLeaseName(context.hostname);
  const namespace = await leaseNamespace(values.leaderElectionNamespace, context.env);
  const recorder = createEventRecorder({ client, component: `${leaseName}/${identity}`, log: context.log });
  const elector = checked(() =>
    createLeaderElector({
      client,
      leaseName,
      namespace,
      identity,
      leaseDurationMs: values.leaderElectionLeaseDurationMs,
      renewDeadlineMs: values.leaderElectionRenewDeadlineMs,
      retryPeriodMs: values.leaderElectionRetryPeriodMs,
      labels: values.leaderElectionLabels,
      releaseOnExit: true,
      onStartedLeading: work,
      log: context.log,
      recorder,
      metrics: createElectionMetrics(context.registry),
      signal,
    }),
  );
  return {
    elector,
    lease: `${namespace}/${leaseName}`,
    async run() {
      const outcome = await elector.run();
      if (outcome === 'lost') {
        throw new ExitError(
          `stopped leading: lost the lease ${namespace}/${leaseName}, exiting so that work starts afresh`,
        );
      }
      await recorder.stop();
    },
  };
}

/** client-go panics on durations that do not fit each other, and a Go panic exits with 2. */
function checked(create: () => LeaderElector): LeaderElector {
  try {
    return create();
  } catch (error) {
    throw new ExitError(errorMessage(error), { exitCode: 2, cause: error });
  }
}
