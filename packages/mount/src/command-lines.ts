import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { CommandError, commandEnvironment, spawnFailure } from './command.ts';

/**
 * What a command writes, line by line as it comes: for answers of any length. Who stops reading ends the command.
 * @throws {CommandError} at the end, when the tool is missing or fails.
 */
export async function* commandLines(
  tool: string,
  args: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const child = spawn(tool, [...args], { stdio: ['ignore', 'pipe', 'pipe'], env: commandEnvironment(process.env) });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < 4096) stderr += chunk.toString();
  });
  const ended = new Promise<CommandError | undefined>((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) =>
      resolve(new CommandError(tool, args, spawnFailure(tool, error))),
    );
    child.on('close', (exitCode, signalName) => {
      if (exitCode === 0) resolve(undefined);
      else if (exitCode === null)
        resolve(new CommandError(tool, args, { kind: 'killed', signalName: signalName ?? 'unknown' }));
      else resolve(new CommandError(tool, args, { kind: 'exit', exitCode, output: stderr.trim() }));
    });
  });
  const onAbort = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    yield* createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY });
    signal?.throwIfAborted();
    const failure = await ended;
    if (failure !== undefined) throw failure;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit');
  }
}
