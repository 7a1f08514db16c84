import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, silentLogger } from '@holdfast/core';
import { RegistrationService } from '@holdfast/csi-spec';
import { volumeAttachments } from '@holdfast/kube';
import { bindService, serveUnix, type UnixServer } from '@holdfast/rpc';
import { vi } from 'vitest';
import type { ContainerRuntime, ContainerState } from '../kubelet/pods/runtime.ts';
import { runKubelet } from '../kubelet/run.ts';
import { attachmentName } from '../loops/attaching/names.ts';
import { type DriverCapabilities, type ScriptedDriver, startScriptedDriver } from './scripted-driver.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';

/** Containers that run until they are told to end. Processes and mounts are proved where there is a root to make them. */
export function createMemoryRuntime(): ContainerRuntime {
  const states = new Map<string, Map<string, ContainerState>>();
  const listeners: ((podUid: string) => void)[] = [];
  return {
    adopt: async () => undefined,
    start: async ({ podUid, name, restarts }) => {
      const ofPod = states.get(podUid) ?? new Map<string, ContainerState>();
      states.set(podUid, ofPod.set(name, { kind: 'running', id: name, startedAtMs: Date.now(), restarts }));
    },
    state: (podUid, name) => states.get(podUid)?.get(name) ?? { kind: 'none' },
    containersOf: (podUid) => [...(states.get(podUid)?.keys() ?? [])],
    signal: (podUid, name) => {
      const state = states.get(podUid)?.get(name);
      if (state?.kind === 'running') {
        states.get(podUid)?.set(name, { ...state, kind: 'exited', exitCode: 0, finishedAtMs: Date.now() });
        listeners.forEach((listener) => listener(podUid));
      }
    },
    logPath: () => undefined,
    exec: async () => ({ exitCode: 0, stdout: '', stderr: '' }),
    remove: async (podUid) => {
      states.delete(podUid);
    },
    onExit: (listener) => {
      listeners.push(listener);
    },
    close: () => undefined,
  };
}

export interface KubeletRig {
  readonly nodeName: string;
  readonly cluster: TestCluster;
  readonly driver: ScriptedDriver;
  readonly rootDir: string;
  /** What the plug-in was told about its registrations. */
  readonly verdicts: readonly boolean[];
  /** @returns what ends this kubelet, as SIGTERM does */
  startKubelet(options?: {
    readonly runtime?: ContainerRuntime;
    readonly clock?: Clock;
    readonly cleanUpOnExit?: boolean;
  }): () => Promise<void>;
  /** Puts the driver's registration socket where the kubelet looks. */
  register(): Promise<void>;
  unregister(): Promise<void>;
  /** What the external attacher would do. */
  attach(handle: string): Promise<void>;
  stop(): Promise<void>;
}

/** A cluster with its loops, a scripted driver, and a folder for kubelets that keep containers in memory. */
export async function startKubeletRig(
  options: { readonly capabilities?: DriverCapabilities } = {},
): Promise<KubeletRig> {
  const nodeName = 'node-1';
  const cluster = await startTestCluster({ loops: true });
  const driver = await startScriptedDriver({ ...options, nodeId: 'id-1', topology: { 'topology.test/zone': 'a' } });
  const rootDir = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-kubelet-')));
  const verdicts: boolean[] = [];
  const running: { stopping: AbortController; ended: Promise<void> }[] = [];
  let registrar: UnixServer | undefined;

  const unregister = async (): Promise<void> => {
    await registrar?.stop();
    registrar = undefined;
  };

  return {
    nodeName,
    cluster,
    driver,
    rootDir,
    verdicts,
    startKubelet: ({ runtime = createMemoryRuntime(), ...more } = {}) => {
      const stopping = new AbortController();
      const { signal } = stopping;
      const ended = runKubelet({
        client: cluster.client,
        nodeName,
        rootDir,
        runtime,
        log: silentLogger,
        signal,
        ...more,
      });
      running.push({ stopping, ended });
      return async () => {
        stopping.abort();
        await ended;
      };
    },
    register: async () => {
      const registry = join(rootDir, 'plugins_registry');
      await mkdir(registry, { recursive: true });
      registrar = await serveUnix({
        address: join(registry, `${driver.name}-reg.sock`),
        log: silentLogger,
        services: [
          bindService(RegistrationService, {
            getInfo: async () => ({
              type: 'CSIPlugin',
              name: driver.name,
              endpoint: driver.socketPath,
              supportedVersions: ['1.0.0'],
            }),
            notifyRegistrationStatus: async ({ pluginRegistered }) => {
              verdicts.push(pluginRegistered);
              return {};
            },
          }),
        ],
      });
    },
    unregister,
    attach: async (handle) => {
      const name = attachmentName(handle, driver.name, nodeName);
      await vi.waitFor(() => cluster.client.get(volumeAttachments, { name }), { timeout: 10_000 });
      const body = { status: { attached: true, attachmentMetadata: { device: 'sdx' } } };
      await cluster.client.patch(volumeAttachments, { name }, { kind: 'merge', body }, { subresource: 'status' });
    },
    stop: async () => {
      for (const { stopping, ended } of running.splice(0)) {
        stopping.abort();
        await ended;
      }
      await unregister();
      await driver.stop();
      await cluster.stop();
      await rm(rootDir, { recursive: true, force: true });
    },
  };
}
