import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { silentLogger } from '@holdfast/core';
import { ControllerService, NodeService } from '@holdfast/csi-spec';
import { type Client, type Connection, dialUnix } from '@holdfast/rpc';

export interface DriverProcess {
  readonly controller: Client<ControllerService>;
  readonly node: Client<NodeService>;
  readonly connection: Connection;
  /** SIGKILL: no handler runs. */
  kill(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM. @returns the exit code */
  stop(): Promise<number | null>;
}

const entry = join(import.meta.dirname, '..', 'bin.ts');

export interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Runs the driver until it ends by itself. */
export async function runDriver(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = start(args, env);
  const output = collect(child);
  const [exitCode] = await once(child, 'close');
  return { exitCode, output: output() };
}

/** Runs the driver as a process of its own and waits until it serves. */
export async function startDriver(
  dir: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<DriverProcess> {
  const address = join(dir, 'csi.sock');
  const child = start(
    [`--endpoint=unix://${address}`, `--pool-dir=${join(dir, 'pool')}`, '--node-id=node-a', ...args],
    env,
  );
  const output = collect(child);
  const exited = once(child, 'exit');
  const connection = await Promise.race([
    dialUnix({ address, log: silentLogger, timeoutMs: 120_000 }),
    exited.then(() => Promise.reject(new Error(`the driver ended: ${output()}`))),
  ]);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    const [exitCode] = await exited;
    connection.close();
    return exitCode;
  };
  return {
    controller: connection.client(ControllerService),
    node: connection.client(NodeService),
    connection,
    signal: (name) => void child.kill(name),
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  };
}

function start(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [entry, ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function collect(child: ChildProcess): () => string {
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return () => output;
}
