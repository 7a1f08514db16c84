import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isNotFound, type KubeClient, namespaces } from '@holdfast/kube';
import { buildReference, referenceProgram } from '../reference/build.ts';
import { openCluster } from './cluster-client.ts';
import type { Cluster, Program } from './contract.ts';
import { type ControlPlaneFiles, writeControlPlaneFiles } from './control-plane-files.ts';
import {
  apiServerFlags,
  controllerManagerFlags,
  etcdFlags,
  type Ports,
  schedulerFlags,
} from './control-plane-flags.ts';
import { freePort } from './free-port.ts';
import { answersOk } from './http-health.ts';
import { lastLines, startProgram } from './program.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';
import { waitUntil } from './wait-until.ts';

export interface KubernetesClusterOptions {
  /** Ends the start, and whatever waits later. */
  readonly signal: AbortSignal;
  /** What kube-controller-manager runs. Default: what it runs by default. `none`: it and kube-scheduler are not started. */
  readonly controllers?: readonly string[] | 'none';
  /** Pods get tokens of their service accounts, as a real kubelet mounts them. */
  readonly givesTokens?: boolean;
  /** Appended to the API server's flags. */
  readonly apiServerArgs?: readonly string[];
  /** Appended to the controller manager's flags. */
  readonly controllerManagerArgs?: readonly string[];
}

export interface KubernetesCluster extends Cluster {
  /** etcd, kube-apiserver, kube-controller-manager, kube-scheduler, as far as they were started: for measuring them. */
  readonly programs: readonly Program[];
  /** Where etcd listens. */
  readonly etcdSocket: string;
}

const readyTimeoutMs = 180_000;

/**
 * A real control plane on loopback, in a folder of its own.
 * @throws Error with the log that matters when a program does not come up; everything has been ended then
 */
export async function startKubernetesCluster(options: KubernetesClusterOptions): Promise<KubernetesCluster> {
  const { signal, controllers = ['*'] } = options;
  const hasControllers = controllers !== 'none';
  await needPrograms(hasControllers, signal);
  const folder = makeTemporaryFolder('kubernetes');
  const programs: Program[] = [];
  const stopAll = async (): Promise<void> => {
    // Clients before servers: none of them has anybody to say good-bye to then.
    for (const program of programs.toReversed()) await program.stop();
    folder.remove();
  };
  try {
    const ports: Ports = {
      apiServer: await freePort(),
      controllerManager: await freePort(),
      scheduler: await freePort(),
    };
    const url = `https://127.0.0.1:${ports.apiServer}`;
    const files = writeControlPlaneFiles(folder.path, url);
    const start = async (name: string, args: readonly string[]): Promise<Program> => {
      const logFile = join(folder.path, 'logs', `${name}.log`);
      const program = await startProgram({ label: name, file: referenceProgram(name), args, logFile });
      programs.push(program);
      return program;
    };
    await start('etcd', etcdFlags(folder.path));
    const apiServer = await start('kube-apiserver', [
      ...apiServerFlags(folder.path, files, ports, { givesTokens: options.givesTokens === true }),
      ...(options.apiServerArgs ?? []),
    ]);
    const healthy = (program: Program, at: string): Promise<void> => untilHealthy({ program, url: at, files, signal });
    await healthy(apiServer, `${url}/readyz`);
    if (hasControllers) {
      const manager = await start('kube-controller-manager', [
        ...controllerManagerFlags(files, ports, controllers),
        ...(options.controllerManagerArgs ?? []),
      ]);
      const scheduler = await start('kube-scheduler', schedulerFlags(files, ports));
      await healthy(manager, `https://127.0.0.1:${ports.controllerManager}/healthz`);
      await healthy(scheduler, `https://127.0.0.1:${ports.scheduler}/healthz`);
    }
    const { close, ...cluster } = await openCluster({
      folder: folder.path,
      access: { url, ca: files.ca },
      adminKubeconfig: files.adminKubeconfig,
      auditLog: files.auditLog,
      signal,
    });
    await untilUsable(cluster.client, hasControllers, signal);
    return {
      kind: 'kubernetes',
      url,
      adminKubeconfig: files.adminKubeconfig,
      ...cluster,
      programs,
      etcdSocket: join(folder.path, 'etcd.sock'),
      async restartApiServer({ downMs = 0 } = {}) {
        // Not in order: an API server that ends in order first waits for every watch.
        await apiServer.kill();
        await sleep(downMs, undefined, { signal });
        await apiServer.start();
        await healthy(apiServer, `${url}/readyz`);
      },
      async stop() {
        close();
        await stopAll();
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function needPrograms(hasControllers: boolean, signal: AbortSignal): Promise<void> {
  const names = ['etcd', 'kube-apiserver', ...(hasControllers ? ['kube-controller-manager', 'kube-scheduler'] : [])];
  const lines: string[] = [];
  const say = (line: string): void => {
    lines.push(line);
    if (!line.startsWith('already built')) process.stderr.write(`reference: ${line}\n`);
  };
  const { failed } = await buildReference(names, { say, signal });
  if (failed.length > 0) throw new Error(`not built: ${failed.join(', ')}\n${lines.join('\n')}`);
}

async function untilHealthy(deps: {
  readonly program: Program;
  readonly url: string;
  readonly files: ControlPlaneFiles;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { program, url, files, signal } = deps;
  try {
    await waitUntil({
      what: `${program.label} to be healthy at ${url}`,
      look: async () => {
        if (!program.isRunning()) throw new Error(`${program.label} ended with exit code ${await program.exited()}`);
        return (await answersOk(url, { ca: files.ca, token: files.adminToken })) ? true : undefined;
      },
      timeoutMs: readyTimeoutMs,
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    const said = error instanceof Error ? error.message : String(error);
    throw new Error(`${said}; the end of its log:\n${lastLines(program.log(), 30)}`, { cause: error });
  }
}

/** The API server makes the namespace after it calls itself ready, and the controller manager its service account after that. */
async function untilUsable(client: KubeClient, hasControllers: boolean, signal: AbortSignal): Promise<void> {
  const account = '/api/v1/namespaces/default/serviceaccounts/default';
  await waitUntil({
    what: `the namespace "default"${hasControllers ? ' and its service account' : ''}`,
    look: async () => {
      try {
        await client.get(namespaces, { name: 'default' }, { signal });
        if (hasControllers) await client.request('GET', account, undefined, { signal });
        return true;
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    timeoutMs: readyTimeoutMs,
    signal,
  });
}
