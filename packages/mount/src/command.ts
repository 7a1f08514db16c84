import { type StdioOptions, spawn } from 'node:child_process';
import { packageFor } from './tool-packages.ts';

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Default 60 000. After it the child gets SIGKILL and the call fails. */
  readonly timeoutMs?: number;
  /** Exit codes that are an answer rather than a failure. Default: only 0. */
  readonly okExitCodes?: readonly number[];
  readonly signal?: AbortSignal;
  /** An open file that the child finds as its file descriptor 3. */
  readonly inheritedFd?: number;
}

export type CommandFailure =
  | { readonly kind: 'missing'; readonly aptPackage: string | undefined }
  | { readonly kind: 'timeout'; readonly timeoutMs: number }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'killed'; readonly signalName: string }
  | { readonly kind: 'exit'; readonly exitCode: number; readonly output: string }
  | { readonly kind: 'spawn'; readonly reason: string };

/** A command that did not give an answer. The message names the command, what happened and, where there is one, the remedy. */
export class CommandError extends Error {
  readonly tool: string;
  readonly failure: CommandFailure;

  constructor(tool: string, args: readonly string[], failure: CommandFailure) {
    super(describeFailure(tool, args, failure));
    this.name = 'CommandError';
    this.tool = tool;
    this.failure = failure;
  }
}

const defaultTimeoutMs = 60_000;
// A child in uninterruptible sleep ignores SIGKILL: the caller's lock must not wait for it for ever.
const killGraceMs = 2_000;
// A mount helper that stays in the background keeps our pipes open; the answer is complete when the child itself has ended.
const drainGraceMs = 500;
const maxOutputBytes = 4 * 1024 * 1024;

/**
 * Runs one command with an argument vector, never a shell.
 * @throws {CommandError} when the tool is missing, fails, or does not end in time.
 */
export async function runCommand(
  tool: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { timeoutMs = defaultTimeoutMs, okExitCodes = [0], signal, inheritedFd } = options;
  const fail = (failure: CommandFailure): CommandError => new CommandError(tool, args, failure);
  await ownTurn();
  if (signal?.aborted === true) throw fail({ kind: 'aborted' });

  return new Promise((resolve, reject) => {
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', ...(inheritedFd === undefined ? [] : [inheritedFd])];
    const child = spawn(tool, [...args], { stdio, env: commandEnvironment(process.env) });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    let stopped: CommandFailure | undefined;
    const timers: NodeJS.Timeout[] = [];

    const kill = (failure: CommandFailure): void => {
      stopped ??= failure;
      child.kill('SIGKILL');
      timers.push(setTimeout(() => settle(() => reject(fail(failure))), killGraceMs));
    };
    const onAbort = (): void => kill({ kind: 'aborted' });
    const settle = (finish: () => void): void => {
      for (const timer of timers) clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      child.stdout?.destroy();
      child.stderr?.destroy();
      finish();
    };
    const finish = (exitCode: number | null, signalName: string | null): void => {
      settle(() => {
        if (stopped !== undefined) return reject(fail(stopped));
        if (exitCode === null) return reject(fail({ kind: 'killed', signalName: signalName ?? 'unknown' }));
        if (!okExitCodes.includes(exitCode))
          return reject(fail({ kind: 'exit', exitCode, output: stderr().trim() || stdout().trim() }));
        resolve({ exitCode, stdout: stdout(), stderr: stderr() });
      });
    };

    timers.push(setTimeout(() => kill({ kind: 'timeout', timeoutMs }), timeoutMs));
    signal?.addEventListener('abort', onAbort, { once: true });
    child.on('error', (error: NodeJS.ErrnoException) => settle(() => reject(fail(spawnFailure(tool, error)))));
    child.on('exit', (exitCode, signalName) => {
      timers.push(setTimeout(() => finish(exitCode, signalName), drainGraceMs));
    });
    child.on('close', finish);
  });
}

let lastTurn: Promise<void> = Promise.resolve();

/** Starting a process blocks for milliseconds. A hundred that are asked for at once come one per turn of the event loop, and calls in between. */
function ownTurn(): Promise<void> {
  lastTurn = lastTurn.then(() => new Promise((resolve) => setImmediate(resolve)));
  return lastTurn;
}

/** The children's environment: messages in English, and the system folders even where a user's PATH leaves them out. */
export function commandEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const path = (env.PATH ?? '').split(':').filter((folder) => folder !== '');
  for (const folder of ['/usr/sbin', '/usr/bin', '/sbin', '/bin']) if (!path.includes(folder)) path.push(folder);
  return { PATH: path.join(':'), LC_ALL: 'C' };
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream?.on('data', (chunk: Buffer) => {
    if (size < maxOutputBytes) chunks.push(chunk);
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

export function spawnFailure(tool: string, error: NodeJS.ErrnoException): CommandFailure {
  if (error.code === 'ENOENT') return { kind: 'missing', aptPackage: packageFor(tool) };
  return { kind: 'spawn', reason: error.message };
}

function describeFailure(tool: string, args: readonly string[], failure: CommandFailure): string {
  const command = [tool, ...args].join(' ');
  switch (failure.kind) {
    case 'missing':
      return failure.aptPackage === undefined
        ? `${tool} was not found on this machine`
        : `${tool} was not found on this machine: install the package ${failure.aptPackage}`;
    case 'timeout':
      return `"${command}" did not end within ${failure.timeoutMs / 1000} s and was killed`;
    case 'aborted':
      return `"${command}" was given up because its caller went away`;
    case 'killed':
      return `"${command}" was killed by ${failure.signalName}`;
    case 'exit':
      return `"${command}" failed with exit code ${failure.exitCode}: ${failure.output || 'no message'}`;
    case 'spawn':
      return `"${command}" could not be started: ${failure.reason}`;
    default:
      return failure satisfies never;
  }
}
