import type { Explainer, ReflectorGroup } from '@holdfast/control';
import type { KubeClient } from '@holdfast/kube';
import { createOperationMetrics } from '@holdfast/rpc';
import { connectDriver, type DriverConnection, failOnConnectionLoss } from './driver-connection.ts';
import { runWithElection, type Work } from './election.ts';
import type { FlagValues } from './flag-spec.ts';
import { connectKube, type KubeAccessDeps } from './kube-access.ts';
import { runGroup } from './run-group.ts';
import type { ProgramContext } from './run-program.ts';
import type { standardFlags } from './standard-flags.ts';

/** What a controller is made from, once the API server and the driver are found. */
export interface AssembleDeps<Values> {
  readonly values: Values;
  readonly context: ProgramContext;
  readonly client: KubeClient;
  readonly found: DriverConnection;
}

/** A controller and what runs beside it. */
export interface Assembled {
  readonly controller: {
    readonly run: Work;
    /** What it says of its objects; undefined while it does not run. Without it nobody can ask. */
    readonly explainer?: () => Explainer | undefined;
  };
  /** They run on standbys too. */
  readonly caches: ReflectorGroup;
  /** Of events about objects, for a controller that writes any. What is queued is written before the program ends. */
  readonly recorder?: { stop(): Promise<void> };
}

export interface ControllerProgramOptions {
  /** How long to wait until somebody serves the driver's socket; 30 s, as upstream, when not given. */
  readonly connectTimeoutMs?: number;
}

type ControllerValues = FlagValues<typeof standardFlags> & {
  readonly timeoutMs: number;
  /** Of programs that have the flag. */
  readonly maxGrpcLogLength?: number;
} & KubeAccessDeps['values'];

export interface ControllerProgramDeps<Values extends ControllerValues> extends ControllerProgramOptions {
  readonly values: Values;
  readonly context: ProgramContext;
  readonly leaseName: (driverName: string) => string;
  readonly assemble: (deps: AssembleDeps<Values>) => Assembled | Promise<Assembled>;
  /** See {@link ElectionDeps}. */
  readonly isNoting?: boolean;
  /** See {@link KubeAccessDeps}. */
  readonly isKubeconfigEnvHonoured?: boolean;
}

/**
 * Runs one controller beside its driver, from the connections to the drained end: caches at once, the work as leader.
 * Ends when `context.signal` aborts, the driver goes away or the lease is lost.
 * @throws ExitError
 */
export async function runControllerProgram<Values extends ControllerValues>(
  deps: ControllerProgramDeps<Values>,
): Promise<void> {
  const { values, context, isKubeconfigEnvHonoured = false } = deps;
  const kube = await connectKube({ values, context, isKubeconfigEnvHonoured });
  try {
    const found = await findDriver(deps);
    try {
      const assembled = await deps.assemble({ values, context, client: kube.client, found });
      await runAssembled(deps, assembled, found, kube.electionClient);
    } finally {
      found.connection.close();
    }
  } finally {
    kube.close();
  }
}

async function findDriver<Values extends ControllerValues>(
  deps: ControllerProgramDeps<Values>,
): Promise<DriverConnection> {
  const { values, context, connectTimeoutMs } = deps;
  return await connectDriver({
    address: values.csiAddress,
    timeoutMs: values.timeoutMs,
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    maxLoggedLength: values.maxGrpcLogLength ?? 0,
    metrics: createOperationMetrics({ registry: context.registry, subsystem: 'csi_sidecar' }),
    fatalExitCode: context.fatalExitCode,
    log: context.log,
    signal: context.signal,
  });
}

async function runAssembled<Values extends ControllerValues>(
  { values, context, leaseName, isNoting = false }: ControllerProgramDeps<Values>,
  { controller, caches, recorder }: Assembled,
  { connection, driverName }: DriverConnection,
  electionClient: KubeClient,
): Promise<void> {
  const tasks = {
    ...caches.tasks,
    'driver connection': (signal: AbortSignal) => failOnConnectionLoss(connection, context.log, signal),
    [context.name]: (signal: AbortSignal) =>
      runWithElection({
        values,
        context,
        client: electionClient,
        leaseName: leaseName(driverName),
        work: controller.run,
        isNoting,
        ...(controller.explainer === undefined ? {} : { explainer: controller.explainer }),
        signal,
      }),
  };
  try {
    await runGroup(tasks, context.signal);
  } finally {
    await recorder?.stop();
  }
}
