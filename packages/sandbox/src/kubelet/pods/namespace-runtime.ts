import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Logger, systemClock } from '@holdfast/core';
import * as z from 'zod';
import { listDir, readRecord, writeRecord } from '../files.ts';
import type { KubeletPaths } from '../paths.ts';
import { defaultPath, resolveSources, shimArguments, shimName } from './container-command.ts';
import {
  findByArguments,
  findByEnvironment,
  grandchild,
  isRunning,
  isSessionEnding,
  type ProcessIdentity,
  startTicks,
} from './processes.ts';
import type { ContainerRuntime, ContainerSpec, ContainerState, ExecResult } from './runtime.ts';

const recordShape = z.object({
  id: z.string(),
  startedAtMs: z.number(),
  restarts: z.number(),
  process: z.object({ pid: z.number().int().positive(), startTicks: z.string() }).optional(),
});
type ContainerRecord = z.infer<typeof recordShape>;

interface Container {
  readonly podUid: string;
  readonly name: string;
  readonly dir: string;
  record: ContainerRecord;
  exit: { readonly code: number; readonly atMs: number } | undefined;
}

const recordFile = 'state.json';
const exitFile = 'exit';
/** Marks every process around a container, so that none is overlooked when the shim is gone. */
const idVariable = 'HOLDFAST_CONTAINER_ID';
/** What a process gets that was killed, or vanished, without a word: 128 + SIGKILL. */
const killedCode = 137;
const adoptedPollMs = 500;
const execTimeoutMs = 60_000;
const largestExecOutputBytes = 8 * 1024 * 1024;

/**
 * Runs a container as processes in mount and process namespaces of their own, with util-linux alone. Each has a shim in a
 * session of its own, so it outlives the kubelet, and a record from which the next kubelet finds it.
 */
export function createNamespaceRuntime(deps: {
  readonly paths: KubeletPaths;
  readonly log: Logger;
  readonly clock?: Clock;
}): ContainerRuntime {
  const { paths, log } = deps;
  const clock = deps.clock ?? systemClock;
  const containers = new Map<string, Container>();
  const listeners: ((podUid: string) => void)[] = [];
  const key = (podUid: string, name: string) => `${podUid}/${name}`;

  function settle(container: Container): void {
    if (container.exit !== undefined) {
      return;
    }
    const { id, process } = container.record;
    if (findByEnvironment(idVariable, id).length > 0 || (process !== undefined && isSessionEnding(process.pid))) {
      // Somebody killed the shim alone: the volumes are in use until the last process has ended.
      return;
    }
    container.exit = readExit(container.dir) ?? { code: killedCode, atMs: clock.nowMs() };
    listeners.forEach((listener) => listener(container.podUid));
  }

  // The end of a child is an event; that of an adopted process has to be looked for.
  const poll = setInterval(() => {
    for (const container of containers.values()) {
      const { process } = container.record;
      if (container.exit === undefined && process !== undefined && !isRunning(process)) {
        settle(container);
      }
    }
  }, adoptedPollMs);
  poll.unref();

  async function adoptContainer(podUid: string, name: string): Promise<void> {
    const dir = paths.containerDir(podUid, name);
    const parsed = recordShape.safeParse(await readRecord(join(dir, recordFile)));
    if (!parsed.success) {
      return;
    }
    // Without a process the kubelet was killed between starting it and writing it down.
    const process = parsed.data.process ?? findByArguments(3, [shimName, dir]);
    const container: Container = { podUid, name, dir, record: { ...parsed.data, process }, exit: undefined };
    containers.set(key(podUid, name), container);
    if (process === undefined || !isRunning(process)) {
      settle(container);
    } else {
      await writeRecord(join(dir, recordFile), container.record);
      log.info('Adopted a running container', { pod: podUid, container: name, pid: process.pid });
    }
  }

  async function start(spec: ContainerSpec): Promise<void> {
    const dir = paths.containerDir(spec.podUid, spec.name);
    const mounts = await resolveSources(spec);
    await mkdir(join(dir, 'rootfs'), { recursive: true, mode: 0o750 });
    await rm(join(dir, exitFile), { force: true });
    const record: ContainerRecord = { id: randomUUID(), startedAtMs: clock.nowMs(), restarts: spec.restarts };
    await writeRecord(join(dir, recordFile), record);
    const container: Container = { podUid: spec.podUid, name: spec.name, dir, record, exit: undefined };
    containers.set(key(spec.podUid, spec.name), container);
    try {
      container.record = { ...record, process: await launch({ ...spec, mounts }, container) };
    } catch (error) {
      containers.delete(key(spec.podUid, spec.name));
      await rm(join(dir, recordFile), { force: true });
      throw error;
    }
    await writeRecord(join(dir, recordFile), container.record);
  }

  async function launch(spec: ContainerSpec, container: Container): Promise<ProcessIdentity> {
    const output = openSync(logFile(container), 'a', 0o640);
    try {
      const child = spawn('/bin/sh', shimArguments(spec, container.dir), {
        cwd: '/',
        detached: true,
        env: { PATH: defaultPath, [idVariable]: container.record.id },
        stdio: ['ignore', output, output],
      });
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      child.once('spawn', resolve);
      child.once('error', reject);
      child.once('exit', () => settle(container));
      await promise;
      child.unref();
      const pid = child.pid;
      if (pid === undefined) {
        throw new Error(`container ${spec.name} got no process`);
      }
      return { pid, startTicks: startTicks(pid) ?? '' };
    } finally {
      closeSync(output);
    }
  }

  function find(podUid: string, name: string): Container | undefined {
    return containers.get(key(podUid, name));
  }

  async function exec(
    podUid: string,
    name: string,
    command: readonly string[],
    signal: AbortSignal,
  ): Promise<ExecResult> {
    const container = find(podUid, name);
    const shim = container?.exit === undefined ? container?.record.process?.pid : undefined;
    const pid = shim === undefined ? undefined : grandchild(shim);
    if (pid === undefined) {
      throw new Error(`container ${name} is not running`);
    }
    const args = ['--target', String(pid), '--mount', '--pid', '--root', '--wd=/', '--', ...command];
    const { promise, resolve } = Promise.withResolvers<ExecResult>();
    const options = { signal, timeout: execTimeoutMs, maxBuffer: largestExecOutputBytes, env: { PATH: defaultPath } };
    execFile('nsenter', args, options, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ exitCode, stdout, stderr: error !== null && stderr === '' ? error.message : stderr });
    });
    return promise;
  }

  return {
    adopt: async () => {
      for (const podUid of await listDir(paths.pods)) {
        for (const name of await listDir(join(paths.podDir(podUid), 'containers'))) {
          await adoptContainer(podUid, name);
        }
      }
    },
    start,
    state: (podUid, name) => stateOf(find(podUid, name)),
    containersOf: (podUid) => [...containers.values()].filter((c) => c.podUid === podUid).map((c) => c.name),
    signal: (podUid, name, signalName) => {
      const container = find(podUid, name);
      if (container === undefined || container.exit !== undefined) {
        return;
      }
      const shim = container.record.process?.pid;
      for (const pid of findByEnvironment(idVariable, container.record.id)) {
        // Everything in the namespaces ends with their process 1; the shim lives on to write down how it ended.
        if (signalName === 'SIGKILL' && pid !== shim) {
          send(pid, signalName);
        } else if (signalName === 'SIGTERM') {
          // All are in the shim's process group, and so is what the container started, unless it left.
          send(-(shim ?? pid), signalName);
          return;
        }
      }
    },
    logPath: (podUid, name) => {
      const container = find(podUid, name);
      return container === undefined ? undefined : logFile(container);
    },
    exec,
    remove: async (podUid) => {
      for (const container of [...containers.values()].filter((c) => c.podUid === podUid)) {
        containers.delete(key(podUid, container.name));
      }
      await rm(join(paths.podDir(podUid), 'containers'), { recursive: true, force: true });
    },
    onExit: (listener) => {
      listeners.push(listener);
    },
    close: () => clearInterval(poll),
  };
}

function stateOf(container: Container | undefined): ContainerState {
  if (container === undefined) {
    return { kind: 'none' };
  }
  const { id, startedAtMs, restarts } = container.record;
  return container.exit === undefined
    ? { kind: 'running', id, startedAtMs, restarts }
    : { kind: 'exited', id, exitCode: container.exit.code, startedAtMs, finishedAtMs: container.exit.atMs, restarts };
}

function logFile({ dir, record }: Container): string {
  return join(dir, `${record.restarts}.log`);
}

function send(pid: number, signalName: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signalName);
  } catch (error) {
    // ESRCH: it ended between the look and the signal.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) {
      throw error;
    }
  }
}

function readExit(dir: string): Container['exit'] {
  const path = join(dir, exitFile);
  try {
    const code = Number.parseInt(readFileSync(path, 'utf8'), 10);
    return Number.isNaN(code) ? undefined : { code, atMs: Math.round(statSync(path).mtimeMs) };
  } catch {
    return undefined;
  }
}
