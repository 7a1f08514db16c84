// The node's own mounts, processes and network. The first process is outside and cleans up, also after a kill of the second.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { takeAway } from '../rig/left-behind.ts';
import { makeTemporaryFolder } from '../rig/temporary-folder.ts';
import { makeCgroups, removeCgroups } from './cgroups.ts';
import { keepKernelSettings } from './kernel-settings.ts';

const insideVariable = 'HOLDFAST_NODE_INSIDE';

export interface NodeRun {
  readonly prepare: (signal: AbortSignal) => Promise<void>;
  /** Inside, in a process of its own. @returns the exit code */
  readonly run: (scratch: string, signal: AbortSignal) => Promise<number>;
}

/** Call it once from a main file, which is run a second time for `run`. @returns the exit code */
export async function inNodeNamespaces({ prepare, run }: NodeRun): Promise<number> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());
  try {
    const scratch = process.env[insideVariable];
    if (scratch !== undefined) {
      process.once('disconnect', () => stop.abort());
      enter(scratch);
      // What is left in here ends with this process, the first of its namespace.
      const code = await run(scratch, stop.signal).catch((error: unknown) => {
        if (!stop.signal.aborted) console.error(error instanceof Error ? error.message : String(error));
        return stop.signal.aborted ? 130 : 1;
      });
      process.exit(code);
    }
    await prepare(stop.signal);
    return await respawn(stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return 130;
    throw error;
  } finally {
    if (process.connected) process.disconnect();
  }
}

async function respawn(signal: AbortSignal): Promise<number> {
  const folder = makeTemporaryFolder('node');
  // Names are short: the path of a socket may have 107 bytes.
  mkdirSync(join(folder.path, 't'));
  const restore = keepKernelSettings();
  makeCgroups();
  // The first process of a PID namespace takes every other one with it, and unshare takes that one.
  const namespaces = [
    '--mount',
    '--propagation',
    'private',
    '--net',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
  ];
  const child = spawn('unshare', [...namespaces, process.execPath, ...process.argv.slice(1)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [insideVariable]: folder.path, TMPDIR: join(folder.path, 't') },
  });
  // unshare waits for its child and lets no signal end it; the child ends when the channel closes.
  signal.addEventListener('abort', () => child.connected && child.disconnect(), { once: true });
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code) => resolve(code ?? 1));
    });
  } finally {
    restore();
    takeAway(folder.path);
    await removeCgroups();
    folder.remove();
  }
}

/** What the programs of a node write to at fixed places goes to the scratch folder; the machine's own is not seen. */
function enter(scratch: string): void {
  const shell = (command: string, ...args: string[]): void => void execFileSync(command, args);
  for (const [name, place] of [
    ['run', '/run'],
    ['log', '/var/log'],
  ] as const) {
    const folder = join(scratch, name);
    mkdirSync(folder);
    shell('mount', '--bind', folder, place);
  }
  // kubelet's folder and /dev pass mounts on to containers, each in a group of its own: in one with /, every volume would be
  // mounted twice, and kubelet's checks of who refers to a device would be wrong.
  const kubelet = join(scratch, 'kubelet');
  mkdirSync(kubelet);
  shell('mount', '--bind', kubelet, kubelet);
  shell('mount', '--make-shared', kubelet);
  shell('mount', '--make-shared', '/dev');
  shell('ip', 'link', 'set', 'lo', 'up');
}
