import { randomInt, randomUUID } from 'node:crypto';
import { createEventRecorder, createQueueMetrics } from '@holdfast/control';
import { errorMessage } from '@holdfast/core';
import { NodeService } from '@holdfast/csi-spec';
import type { KubeClient } from '@holdfast/kube';
import { type AssembleDeps, type Assembled, ExitError, type FlagValues, type ProgramContext } from '@holdfast/sidecar';
import * as z from 'zod';
import { prepareCapacity } from './capacity/prepare.ts';
import { createProvisioner } from './controller.ts';
import { createCsiCalls } from './csi-calls.ts';
import { driverTraits } from './driver-traits.ts';
import type { provisionerFlags } from './flags.ts';
import { createProvisionMetrics } from './metrics.ts';
import { eventComponent } from './names.ts';
import type { NodeRole } from './node-role.ts';
import { provisionRules } from './provision-rules.ts';
import { createCaches } from './stores.ts';

type Values = FlagValues<typeof provisionerFlags.table>;

/** The provisioner of one driver, as the flags want it. */
export async function assembleProvisioner({
  values,
  context,
  client,
  found,
  createReflector,
}: AssembleDeps<Values>): Promise<Assembled> {
  const { log, registry, hostname } = context;
  const { connection, driverName } = found;
  const driver = driverTraits({ ...found, isTopologyEnabled: values.featureGates.Topology });
  if (driver.plugin !== undefined) connection.countMigration();
  const queueMetrics = createQueueMetrics(registry);
  const node = values.nodeDeployment ? await findNodeRole(values, context, found) : undefined;
  const given = provisionRules(values);
  const hasAttributesClasses =
    given.hasAttributesClasses && (!driver.canModifyVolumes || (await areAttributesClassesServed(client, context)));
  const rules = { ...given, hasAttributesClasses };
  const capacity = values.enableCapacity
    ? await prepareCapacity({ values, context, client, driverName, node, queueMetrics })
    : undefined;
  const caches = createCaches({
    client,
    createReflector,
    driver,
    naming: rules.naming,
    hasAttributesClasses: rules.hasAttributesClasses,
    isOnNode: node !== undefined,
    capacity,
    log,
  });
  const recorder = createEventRecorder({ client, component: eventComponent(driverName, hostname, randomUUID()), log });
  const controller = createProvisioner({
    client,
    calls: createCsiCalls({ connection, driverName, timeoutMs: values.timeoutMs }),
    caches,
    driver,
    rules,
    recorder,
    metrics: createProvisionMetrics(registry),
    queueMetrics,
    node,
    createCapacity: capacity?.create(caches.stores),
    identity: [Date.now(), randomInt(10_000), driverName, ...(node ? [node.nodeName] : [])].join('-'),
    workers: values.workerThreads,
    cloneSourceWorkers: values.cloningProtectionThreads,
    snapshotSweepIntervalMs: values.snapshotOrphanSweepIntervalMs,
    retryIntervalStartMs: values.retryIntervalStartMs,
    retryIntervalMaxMs: values.retryIntervalMaxMs,
    log,
  });
  return { controller, caches, recorder };
}

/** Where the driver beside us is. */
async function findNodeRole(
  values: Values,
  { signal, env, fatalExitCode }: ProgramContext,
  { connection }: AssembleDeps<Values>['found'],
): Promise<NodeRole> {
  try {
    const info = await connection.client(NodeService).nodeGetInfo({}, { timeoutMs: values.timeoutMs, signal });
    return {
      nodeName: env.NODE_NAME ?? '',
      segments: info.accessibleTopology?.segments,
      isImmediateBinding: values.nodeDeploymentImmediateBinding,
      baseDelayMs: values.nodeDeploymentBaseDelayMs,
      maxDelayMs: values.nodeDeploymentMaxDelayMs,
    };
  } catch (error) {
    signal.throwIfAborted();
    throw new ExitError(`--node-deployment: the driver cannot say where it is: ${errorMessage(error)}`, {
      exitCode: fatalExitCode,
      cause: error,
    });
  }
}

/** An API server before v1.34 may not have them. One that cannot be asked is taken to, as upstream does. */
async function areAttributesClassesServed(client: KubeClient, { log, signal }: ProgramContext): Promise<boolean> {
  try {
    const { body } = await client.request('GET', '/apis/storage.k8s.io/v1', undefined, { signal });
    const parsed = z.object({ resources: z.array(z.object({ name: z.string() })) }).safeParse(body);
    if (!parsed.success || parsed.data.resources.some(({ name }) => name === 'volumeattributesclasses')) return true;
    log.info('The API server has no VolumeAttributesClasses; those that claims name are not looked at', {});
    return false;
  } catch (error) {
    signal.throwIfAborted();
    log.warn('Cannot ask the API server for VolumeAttributesClasses', { error: errorMessage(error) });
    return true;
  }
}
