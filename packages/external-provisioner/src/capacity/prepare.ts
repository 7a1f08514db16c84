import type { QueueMetrics } from '@holdfast/control';
import { errorMessage, systemClock } from '@holdfast/core';
import type { KubeClient, OwnerReference } from '@holdfast/kube';
import { ExitError, type FlagValues, type ProgramContext } from '@holdfast/sidecar';
import * as z from 'zod';
import type { CsiCalls } from '../csi-calls.ts';
import type { provisionerFlags } from '../flags.ts';
import type { NodeRole } from '../node-role.ts';
import type { Stores } from '../stores.ts';
import { type CapacityController, createCapacityController } from './capacity-controller.ts';
import { registerCapacityMetrics } from './capacity-metrics.ts';
import { limitedClient } from './limited-client.ts';
import { DRIVER_LABEL, MANAGER_LABEL, managerId } from './names.ts';
import { findOwner } from './owner.ts';
import { fixedSegment, segmentsOfCluster } from './segments.ts';

type Values = FlagValues<typeof provisionerFlags.table>;

interface Deps {
  readonly values: Values;
  readonly context: ProgramContext;
  readonly client: KubeClient;
  readonly driverName: string;
  readonly node: NodeRole | undefined;
  readonly queueMetrics: QueueMetrics;
}

export interface PreparedCapacity {
  /** Where our objects are, and by which labels. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  create(stores: Stores): (made: { client: KubeClient; calls: CsiCalls }) => CapacityController;
}

/** Finds out what storage capacity needs before it can start. @throws ExitError as upstream, with 255 */
export async function prepareCapacity(deps: Deps): Promise<PreparedCapacity> {
  const { values, context, client, driverName, node } = deps;
  const { env, log, fatalExitCode: exitCode, registry } = context;
  const { NAMESPACE: namespace } = env;
  if (!namespace) {
    throw new ExitError('--enable-capacity needs the environment variable NAMESPACE: set it from metadata.namespace', {
      exitCode,
    });
  }
  await requireApi(client, context);
  const owner = await ownerOf(deps, namespace);
  const manager = managerId(node?.nodeName);
  let current: CapacityController | undefined;
  registerCapacityMetrics(registry, {
    goal: () => current?.goal() ?? 0,
    current: () => current?.current() ?? 0,
    obsolete: () => current?.obsolete() ?? 0,
  });
  return {
    namespace,
    labels: { [DRIVER_LABEL]: driverName, [MANAGER_LABEL]: manager },
    create: (stores) => (made) => {
      const { kubeApiCapacityQps: qps, kubeApiCapacityBurst: burst } = values;
      current = createCapacityController({
        client: limitedClient(made.client, { qps, burst }),
        calls: made.calls,
        classes: stores.classes,
        capacities: stores.capacities,
        ...placesOf(stores, driverName, node),
        driverName,
        managerId: manager,
        namespace,
        owner,
        isForImmediateBinding: values.capacityForImmediateBinding,
        workers: values.capacityThreads,
        pollIntervalMs: values.capacityPollIntervalMs,
        retryIntervalStartMs: values.retryIntervalStartMs,
        retryIntervalMaxMs: values.retryIntervalMaxMs,
        queueMetrics: deps.queueMetrics,
        clock: systemClock,
        log,
      });
      return current;
    },
  };
}

function placesOf(stores: Stores, driverName: string, node: NodeRole | undefined) {
  if (node) {
    const segments = fixedSegment(node.segments);
    return { segments: () => segments, onSegments: () => () => {} };
  }
  return {
    segments: () => segmentsOfCluster(stores, driverName),
    onSegments(listener: () => void) {
      const subscriptions = [
        stores.csiNodes.subscribe(listener),
        stores.nodes.subscribe((change) => {
          // A node's heartbeat changes nothing of its place.
          const before = change.kind === 'updated' ? change.old.metadata.labels : undefined;
          if (JSON.stringify(before) !== JSON.stringify(change.object.metadata.labels)) listener();
        }),
      ];
      return () => {
        for (const unsubscribe of subscriptions) unsubscribe();
      };
    },
  };
}

async function ownerOf({ values, context, client }: Deps, namespace: string): Promise<OwnerReference | undefined> {
  const { env, signal, fatalExitCode: exitCode } = context;
  const level = values.capacityOwnerrefLevel;
  if (level < 0) return undefined;
  const { POD_NAME: podName } = env;
  if (!podName) {
    throw new ExitError(
      '--enable-capacity needs the environment variable POD_NAME, for the owner of its objects: set it from metadata.name, or set --capacity-ownerref-level=-1',
      { exitCode },
    );
  }
  try {
    return await findOwner({ client, namespace, podName, level, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new ExitError(`--enable-capacity: ${errorMessage(error)}`, { exitCode, cause: error });
  }
}

async function requireApi(client: KubeClient, { signal, fatalExitCode: exitCode }: ProgramContext): Promise<void> {
  try {
    const { body } = await client.request('GET', '/apis/storage.k8s.io/v1', undefined, { signal });
    const { resources } = z.object({ resources: z.array(z.object({ name: z.string() })) }).parse(body);
    if (resources.some(({ name }) => name === 'csistoragecapacities')) return;
  } catch (error) {
    signal.throwIfAborted();
    throw new ExitError(`--enable-capacity: the API server cannot be asked what it serves: ${errorMessage(error)}`, {
      exitCode,
      cause: error,
    });
  }
  throw new ExitError(
    '--enable-capacity needs an API server with CSIStorageCapacity in storage.k8s.io/v1 (Kubernetes 1.24)',
    {
      exitCode,
    },
  );
}
