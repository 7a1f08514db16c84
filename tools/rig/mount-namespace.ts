// A run in a mount namespace of its own: what drivers and kubelets mount is never seen outside, and is gone with the last process.
import { execFileSync, spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { findFooting, namespaceArgs } from '../sanity/footing.ts';
import { sweep } from './temporary-folder.ts';

/** Set for the second process, which is in the namespace. */
const insideVariable = 'HOLDFAST_RIG_INSIDE';

export interface NamespacedRun {
  /** Before the namespace is made; what takes long and needs none of it. */
  readonly prepare: (signal: AbortSignal) => Promise<void>;
  /** In the namespace, in a process of its own. @returns the exit code */
  readonly run: (signal: AbortSignal) => Promise<number>;
}

/**
 * Call it once from a main file, which is run a second time for `run`. SIGINT, SIGTERM and SIGHUP abort the signal in both, and the end
 * of the first process, even by SIGKILL, aborts it in the second.
 * @returns the exit code
 */
export async function inMountNamespace({ prepare, run }: NamespacedRun): Promise<number> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());
  try {
    if (process.env[insideVariable] === undefined) {
      await prepare(stop.signal);
      return await respawn(stop.signal);
    }
    process.once('disconnect', () => stop.abort());
    // Mounts must reach the pods' namespaces, which are slaves of this one, and nothing beyond.
    execFileSync('mount', ['--make-rshared', '/']);
    return await run(stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return 130;
    throw error;
  } finally {
    if (process.connected) process.disconnect();
  }
}

async function respawn(signal: AbortSignal): Promise<number> {
  const footing = findFooting();
  if (footing.kind === 'impossible') throw new Error(footing.reason);
  const child = spawn('unshare', [...namespaceArgs(footing.kind), process.execPath, ...process.argv.slice(1)], {
    // The channel closes when this process ends, however it ends.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [insideVariable]: footing.kind },
  });
  // Ctrl-C reaches the child by itself; a lone SIGTERM of this process does not.
  signal.addEventListener('abort', () => void child.kill('SIGTERM'), { once: true });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, killedBy) => {
      // unshare(1) became the second process, and that could not clean up.
      if (killedBy !== null) sweep(realpathSync(tmpdir()));
      resolve(code ?? 1);
    });
  });
}
