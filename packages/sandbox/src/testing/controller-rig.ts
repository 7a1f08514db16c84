import {
  createReflector,
  createStandaloneNotes,
  type Fence,
  FenceError,
  type LeaseNotes,
  openFence,
} from '@holdfast/control';
import { silentLogger } from '@holdfast/core';
import { createRecordingLogger } from '@holdfast/core/testing';
import { isNotFound } from '@holdfast/kube';
import { createOperationMetrics } from '@holdfast/rpc';
import {
  type AssembleDeps,
  type Assembled,
  connectDriver,
  createMetricsRegistry,
  EXPLAIN_PATH,
  explainRoute,
  runGroup,
  startHttpServer,
} from '@holdfast/sidecar';
import { type ScriptedDriver, type ScriptedDriverOptions, startScriptedDriver } from './scripted-driver.ts';
import { startTestCluster, type TestCluster, type TestClusterOptions } from './test-cluster.ts';

export interface ControllerRigOptions<Values> {
  readonly program: string;
  readonly assemble: (deps: AssembleDeps<Values>) => Assembled | Promise<Assembled>;
  readonly cluster?: TestClusterOptions;
  readonly driver?: ScriptedDriverOptions;
  /** The name of the lease, for a program that notes what it must not forget on it. */
  readonly noteLease?: string;
  /** The program's environment; empty when left out. */
  readonly env?: NodeJS.ProcessEnv;
}

/** An API server, a driver, and a controller between them, over HTTP and gRPC. */
export interface ControllerRig<Values> {
  readonly cluster: TestCluster;
  readonly driver: ScriptedDriver;
  /** Tells the controller's requests from others in `cluster.requests`. */
  readonly userAgent: string;
  /** What the controller logs. */
  readonly log: ReturnType<typeof createRecordingLogger>;
  /** Starts the controller, and resolves once its caches are complete. */
  start(values: Values, fence?: Fence): Promise<void>;
  /** Stops the controller as SIGTERM would. What it remembers is lost. */
  stopController(): Promise<void>;
  /** The metrics of the controller that was started last, as Prometheus reads them. */
  metrics(): Promise<string>;
  /** Asks the controller over HTTP what it says of an object, such as `?claim=default/data`. */
  explain(query?: string): Promise<{ status: number; text: string }>;
  /** Writes of the controller, as `verb resource/subresource`, in order. */
  writes(): string[];
  stop(): Promise<void>;
}

export async function startControllerRig<Values extends { readonly timeoutMs: number }>(
  options: ControllerRigOptions<Values>,
): Promise<ControllerRig<Values>> {
  const cluster = await startTestCluster(options.cluster);
  const driver = await startScriptedDriver(options.driver);
  const log = createRecordingLogger();
  const userAgent = `${options.program}/test`;
  let registry = createMetricsRegistry();
  let running: { stopping: AbortController; ended: Promise<void>; port: number } | undefined;

  async function start(values: Values, fence: Fence = openFence): Promise<void> {
    const stopping = new AbortController();
    const { signal } = stopping;
    registry = createMetricsRegistry();
    const found = await connectDriver({
      address: driver.socketPath,
      timeoutMs: values.timeoutMs,
      metrics: createOperationMetrics({ registry, subsystem: 'csi_sidecar' }),
      log,
      signal,
    });
    const client = await cluster.createClient(userAgent);
    const { controller, caches, recorder } = await options.assemble({
      values,
      client,
      found,
      createReflector,
      context: {
        name: options.program,
        version: 'test',
        log,
        registry,
        signal,
        hostname: 'host',
        env: options.env ?? {},
        fatalExitCode: 1,
      },
    });
    const work = async (groupSignal: AbortSignal) => {
      const run = (notes: LeaseNotes | undefined) => controller.run(groupSignal, fence, notes);
      if (options.noteLease === undefined) await run(undefined);
      else
        await createStandaloneNotes({ client, leaseName: options.noteLease, namespace: 'default', log }).run(
          run,
          groupSignal,
        );
    };
    const run = async () => {
      try {
        await runGroup({ ...caches.tasks, work }, signal);
      } finally {
        await recorder?.stop();
        found.connection.close();
      }
    };
    const explain = explainRoute({
      explainer: () => controller.explainer?.(),
      leadership: () => ({ kind: 'alone' }),
    });
    const server = await startHttpServer({
      address: '127.0.0.1:0',
      routes: { [EXPLAIN_PATH]: explain },
      log: silentLogger,
      signal,
    });
    running = { stopping, ended: run(), port: server.port };
    await caches.synced;
  }

  async function stopController(): Promise<void> {
    running?.stopping.abort(new Error('the test stops the controller'));
    await running?.ended;
    running = undefined;
  }

  return {
    cluster,
    driver,
    userAgent,
    log,
    start,
    stopController,
    metrics: () => registry.metrics(),
    async explain(query = '') {
      if (running === undefined) throw new Error('start the controller first');
      const response = await fetch(`http://127.0.0.1:${running.port}${EXPLAIN_PATH}${query}`);
      return { status: response.status, text: await response.text() };
    },
    writes: () =>
      cluster.requests
        .filter((request) => request.userAgent === userAgent && !['', 'get', 'list', 'watch'].includes(request.verb))
        .map(({ verb, resource, subresource }) => `${verb} ${resource}${subresource ? `/${subresource}` : ''}`),
    async stop() {
      await stopController();
      await driver.stop();
      await cluster.stop();
    },
  };
}

/** What `look` finds; undefined where the API server says that it is not there. */
export async function ifFound<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** A lease's fence that the test opens and closes. */
export interface TestFence extends Fence {
  isHeld: boolean;
  /** How often a write or call was asked about, and how often it was refused. */
  readonly counts: { checks: number; refusals: number };
}

export function createTestFence(isHeld: boolean): TestFence {
  const counts = { checks: 0, refusals: 0 };
  const fence: TestFence = {
    isHeld,
    counts,
    check() {
      counts.checks += 1;
      if (fence.isHeld) return;
      counts.refusals += 1;
      throw new FenceError('the lease is gone');
    },
  };
  return fence;
}
