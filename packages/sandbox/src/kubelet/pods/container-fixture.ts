import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '@holdfast/core';
import { createPaths } from '../paths.ts';
import { createNamespaceRuntime } from './namespace-runtime.ts';
import type { ContainerRuntime, ContainerSpec, ContainerState } from './runtime.ts';

export const podUid = 'c0ffee00-0000-4000-8000-000000000001';
const limitMs = 20_000;

/** For tests as root: real containers of one pod and real disks, in a folder that goes with all of them. */
export interface ContainerFixture {
  readonly root: string;
  /** The folder of the container `app`. */
  readonly dir: string;
  /** A runtime as a kubelet makes it when it starts; the one before stays as it is. */
  open(): ContainerRuntime;
  /** An ext4 volume of its own on a loop device, mounted. */
  mountDisk(name: string): Promise<{ readonly device: string; readonly path: string }>;
  cleanUp(): Promise<void>;
}

export async function createContainerFixture(): Promise<ContainerFixture> {
  const root = await mkdtemp(join(tmpdir(), 'holdfast-pods-'));
  const opened: ContainerRuntime[] = [];
  const undo: (() => void)[] = [];

  return {
    root,
    dir: createPaths(root).containerDir(podUid, 'app'),
    open: () => {
      const runtime = createNamespaceRuntime({ paths: createPaths(root), log: silentLogger });
      opened.push(runtime);
      return runtime;
    },
    mountDisk: async (name) => {
      const image = join(root, `${name}.img`);
      const path = join(root, name);
      await writeFile(image, '');
      await truncate(image, 16 * 1024 * 1024);
      await mkdir(path);
      run('mkfs.ext4', '-q', image);
      const device = run('losetup', '--find', '--show', image);
      undo.push(() => (isAttached(device) ? run('losetup', '--detach', device) : undefined));
      run('mount', device, path);
      undo.push(() => (isMounted(path) ? run('umount', path) : undefined));
      return { device, path };
    },
    cleanUp: async () => {
      const last = opened.at(-1);
      if (last?.state(podUid, 'app').kind === 'running') {
        last.signal(podUid, 'app', 'SIGKILL');
        await exited(last);
      }
      opened.forEach((runtime) => runtime.close());
      undo.toReversed().forEach((step) => step());
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** A container `app` that runs a shell script. */
export function containerOf(script: string, over: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    podUid,
    name: 'app',
    command: ['sh', '-c', script],
    env: {},
    workingDir: '/',
    mounts: [],
    user: undefined,
    group: undefined,
    groups: [],
    restarts: 0,
    ...over,
  };
}

export async function exited(runtime: ContainerRuntime): Promise<Extract<ContainerState, { kind: 'exited' }>> {
  for (const limit = Date.now() + limitMs; Date.now() < limit; await sleep(20)) {
    const state = runtime.state(podUid, 'app');
    if (state.kind === 'exited') {
      return state;
    }
  }
  throw new Error(`the container has not ended: it is ${runtime.state(podUid, 'app').kind}`);
}

/** Waits for the text in the log of the container's present start. */
export async function logged(runtime: ContainerRuntime, text: string): Promise<void> {
  for (const limit = Date.now() + limitMs; Date.now() < limit; await sleep(20)) {
    if (logOf(runtime).includes(text)) {
      return;
    }
  }
  throw new Error(`${JSON.stringify(text)} is not in the log: ${logOf(runtime)}`);
}

export function logOf(runtime: ContainerRuntime): string {
  return readFileSync(runtime.logPath(podUid, 'app') ?? '', 'utf8');
}

/** Every process of this machine with the text as an argument. */
export function processesWith(argument: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(argument);
    } catch {
      return false;
    }
  });
}

export function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8' }).trim();
}

export function isAttached(device: string): boolean {
  return run('losetup', '--list', '--noheadings', '--output', 'NAME').split('\n').includes(device);
}

function isMounted(path: string): boolean {
  return run('findmnt', '--list', '--noheadings', '--output', 'TARGET').split('\n').includes(path);
}
