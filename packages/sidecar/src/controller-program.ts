import { type CreateReflector, createReflector, type Explainer, type ReflectorGroup } from '@holdfast/control';
import type { KubeClient } from '@holdfast/kube';
import { createOperationMetrics } from '@holdfast/rpc';
import { connectDriver, type DriverConnection, failOnConnectionLoss } from './driver-connection.ts';
import { runWithElection, type Work } from './election.ts';
import type { FlagValues } from './flag-spec.ts';
import { connectKube, type KubeAccessDeps } from './kube-access.ts';
import type { PreparedRole, RoleOptions } from './role.ts';
import { runGroup } from './run-group.ts';
import type { ProgramContext } from './run-program.ts';
import type { standardFlags } from './standard-flags.ts';

/** What a controller is made from, once the API server and the driver are found. */
export interface AssembleDeps<Values> {
  readonly values: Values;
  readonly context: ProgramContext;
  readonly client: KubeClient;
  readonly found: DriverConnection;
  readonly createReflector: CreateReflector;
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

type ControllerValues = FlagValues<typeof standardFlags> & {
  readonly timeoutMs: number;
  /** Of programs that have the flag. */
  readonly maxGrpcLogLength?: number;
} & KubeAccessDeps['values'];

export interface ControllerProgramDeps<Values extends ControllerValues> extends RoleOptions {
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
 * One controller beside its driver, connected and assembled. Its caches run at once, the work as leader. `run` ends when its
 * signal aborts, the driver goes away or the lease is lost.
 * @throws ExitError
 */
export async function prepareController<Values extends ControllerValues>(
  deps: ControllerProgramDeps<Values>,
): Promise<PreparedRole> {
  const { values, context, isKubeconfigEnvHonoured = false } = deps;
  const kube = await connectKube({ values, context, isKubeconfigEnvHonoured });
  const closing = [kube.close];
  const close = (): void => {
    for (const each of closing.toReversed()) each();
  };
  try {
    const found = await findDriver(deps);
    closing.push(() => found.connection.close());
    const assembled = await deps.assemble({
      values,
      context,
      client: kube.client,
      found,
      createReflector: deps.createReflector ?? createReflector,
    });
    return { run: (signal) => runAssembled(deps, assembled, found, kube.electionClient, signal), close };
  } catch (error) {
    close();
    throw error;
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
  signal: AbortSignal,
): Promise<void> {
  const tasks = {
    ...caches.tasks,
    'driver connection': (group: AbortSignal) => failOnConnectionLoss(connection, context.log, group),
    [context.name]: (group: AbortSignal) =>
      runWithElection({
        values,
        context,
        client: electionClient,
        leaseName: leaseName(driverName),
        work: controller.run,
        isNoting,
        ...(controller.explainer === undefined ? {} : { explainer: controller.explainer }),
        signal: group,
      }),
  };
  try {
    await runGroup(tasks, signal);
  } finally {
    await recorder?.stop();
  }
}
