import { mkdir, realpath } from 'node:fs/promises';
import { createEventRecorder } from '@holdfast/control';
import { type Clock, type Logger, systemClock, untilAborted } from '@holdfast/core';
import { type KubeClient, type Node, nodes, type Pod } from '@holdfast/kube';
import { fileSystemUsage } from '@holdfast/mount';
import { createKubeletCaches } from './caches.ts';
import { createContentVolumes } from './content/content-volumes.ts';
import { startKubeletHttp } from './http/server.ts';
import { component } from './names.ts';
import { runHeartbeat } from './node/heartbeat.ts';
import { registerNode } from './node/node-object.ts';
import { createPaths } from './paths.ts';
import { createDriverRegistry } from './plugins/drivers.ts';
import { runRegistration } from './plugins/registration.ts';
import { openLocalPods } from './pods/local-pods.ts';
import { createNamespaceRuntime } from './pods/namespace-runtime.ts';
import type { ContainerRuntime } from './pods/runtime.ts';
import { createPodWorker } from './pods/worker.ts';
import { createVolumesInUse } from './volumes/in-use.ts';
import { createVolumeManager } from './volumes/manager.ts';
import { createVolumeRecords } from './volumes/records.ts';
import { createActualState, reconstruct } from './volumes/state.ts';
import { statsOfPod } from './volumes/stats.ts';

export interface KubeletOptions {
  readonly client: KubeClient;
  readonly nodeName: string;
  /** Everything the kubelet keeps is below it; real ones use /var/lib/kubelet. */
  readonly rootDir: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Loopback port for logs and statistics; 0 or none takes a free one. */
  readonly httpPort?: number;
  /** How often the lease is renewed and the status looked at; 10 s by default, as kubelet. */
  readonly heartbeatMs?: number;
  /** Ends the pods of this node and takes their volumes down before returning; without it they are left running. */
  readonly cleanUpOnExit?: boolean;
  /** What runs containers; by default processes in namespaces of their own. */
  readonly runtime?: ContainerRuntime;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly signal: AbortSignal;
}

const defaultHeartbeatMs = 10_000;
const cleanUpLimitMs = 30_000;
const releaseLimitMs = 2_000;
const cleanUpPollMs = 50;

/**
 * A node's kubelet as far as storage reaches: the Node and its CSINode, plug-in registration, volumes and pods. Runs until
 * the signal aborts.
 */
export async function runKubelet(options: KubeletOptions): Promise<void> {
  const { client, nodeName, log, signal } = options;
  const clock = options.clock ?? systemClock;
  // With --cleanup-on-exit the work goes on for a while after the signal, with nothing wanted any more.
  const working = new AbortController();
  await mkdir(options.rootDir, { recursive: true, mode: 0o750 });
  // As the kernel names it: what mountinfo says is compared with these paths.
  const paths = createPaths(await realpath(options.rootDir));
  await mkdir(paths.pods, { recursive: true, mode: 0o750 });
  await mkdir(paths.csiPlugins, { recursive: true, mode: 0o750 });

  const { caches, synced, run } = createKubeletCaches({ client, nodeName, log, clock });
  const recorder = createEventRecorder({ client, component, log, clock });
  const drivers = createDriverRegistry({ log });
  const records = createVolumeRecords(paths);
  const state = createActualState();
  await reconstruct(state, { paths, records });
  const local = await openLocalPods(paths);
  const runtime = options.runtime ?? createNamespaceRuntime({ paths, log, clock });
  await runtime.adopt();

  const podByName = (namespace: string, name: string): Pod | undefined => caches.pods.get(`${namespace}/${name}`);
  const uidOf = (namespace: string, name: string) => podByName(namespace, name)?.metadata.uid ?? '';
  const http = await startKubeletHttp({
    paths,
    port: options.httpPort ?? 0,
    log,
    logPath: (namespace, pod, container) => runtime.logPath(uidOf(namespace, pod), container),
    isRunning: (namespace, pod, container) => runtime.state(uidOf(namespace, pod), container).kind === 'running',
    volumeStats: (namespace, pod) => statsOfPod({ drivers, state, paths }, uidOf(namespace, pod), working.signal),
    pods: () => ({ items: caches.pods.list() }),
    exec: (namespace, pod, container, command) =>
      runtime.exec(uidOf(namespace, pod), container, command, working.signal),
  });

  try {
    const { totalBytes } = await fileSystemUsage(paths.root);
    const facts = { nodeName, labels: options.labels ?? {}, httpPort: http.port, ephemeralBytes: totalBytes };
    const node = await registerNode(client, facts, clock.nowMs(), signal);
    const running = run(working.signal);
    await Promise.race([synced, running, untilAborted(signal)]);
    if (signal.aborted) {
      working.abort();
      await running;
      return;
    }
    caches.nodes.applyWrite(node);

    const inUse = createVolumesInUse({
      client,
      nodeName,
      initial: node.status?.volumesInUse ?? [],
      onNode: (written) => caches.nodes.applyWrite(written),
    });
    const volumes = createVolumeManager({
      client,
      nodeName,
      caches,
      drivers,
      paths,
      records,
      state,
      inUse,
      recorder,
      log,
      clock,
    });
    const content = createContentVolumes({ client, paths, log, clock });
    const pods = createPodWorker({ client, caches, paths, runtime, volumes, content, local, recorder, log, clock });

    pods.demandVolumesOfAll();
    const enqueueAll = () => {
      for (const uid of [...caches.pods.list().map((pod) => pod.metadata.uid), ...local.uids()]) {
        pods.enqueue(uid);
      }
    };
    const recheck = () => volumes.recheckAll();
    caches.pods.subscribe(({ object }) => pods.enqueue(object.metadata.uid));
    caches.claims.subscribe(() => {
      enqueueAll();
      recheck();
    });
    caches.volumes.subscribe(() => {
      enqueueAll();
      recheck();
    });
    caches.attachments.subscribe(recheck);
    caches.nodes.subscribe(recheck);
    caches.csiDrivers.subscribe(recheck);
    drivers.onChange(recheck);
    volumes.onPodChange((uid) => pods.enqueue(uid));
    runtime.onExit((uid) => pods.enqueue(uid));

    const nodeNow = (): Promise<Node> => client.get(nodes, { name: nodeName }, { signal: working.signal });
    const registration = runRegistration(
      { client, drivers, pluginsRegistry: paths.pluginsRegistry, node: nodeNow, log, clock },
      working.signal,
    );
    const heartbeat = runHeartbeat(
      {
        client,
        facts,
        node: () => caches.nodes.get(nodeName),
        onNode: (written) => caches.nodes.applyWrite(written),
        intervalMs: options.heartbeatMs ?? defaultHeartbeatMs,
        log,
        clock,
      },
      working.signal,
    );
    const everything = Promise.all([
      running,
      registration,
      heartbeat,
      volumes.run(working.signal),
      pods.run(working.signal),
    ]);
    enqueueAll();
    recheck();
    log.info('Kubelet is running', { node: nodeName, rootDir: paths.root, httpPort: http.port });

    await Promise.race([untilAborted(signal), everything]);
    if (options.cleanUpOnExit === true) {
      await endEverything();
    }
    working.abort();
    await everything;

    async function endEverything(): Promise<void> {
      const isLeft = () => local.uids().length > 0 || state.keys().some((name) => state.get(name)?.stage !== 'absent');
      pods.endAll();
      await pollWhile(isLeft, cleanUpLimitMs);
      if (isLeft()) {
        log.warn('Some pods could not be ended in time; what they use stays mounted', { pods: local.uids() });
      }
      // Only with this word may their attachments go. An API that is gone already gets it from the next kubelet.
      await pollWhile(() => inUse.names().length > 0, releaseLimitMs);
    }

    async function pollWhile(condition: () => boolean, limitMs: number): Promise<void> {
      const limit = clock.monotonicMs() + limitMs;
      while (condition() && clock.monotonicMs() < limit) {
        await clock.sleep(cleanUpPollMs);
      }
    }
  } finally {
    working.abort();
    runtime.close();
    await http.stop();
    await recorder.stop();
  }
}
