import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CommandError, commandEnvironment, spawnFailure } from './command.ts';

export interface FileLock {
  /** Aborts when the lock is lost: something ended the program that holds it. */
  readonly lost: AbortSignal;
  release(): void;
}

// `flock --timeout` ends with this when the time is over, so that it is told apart from every other failure.
const timedOutCode = 75;

/**
 * Holds a file as flock(2) does, for all processes of this kernel and, where the file system passes it on, of others. Node has no
 * such call, so a child holds it; it ends when its input does, and that the kernel closes however this process ends.
 *
 * @returns undefined when somebody else has it for longer than `waitMs`
 * @throws {CommandError} when flock(1) is missing or fails
 */
export async function takeFileLock(path: string, waitMs: number): Promise<FileLock | undefined> {
  const wait = ['--timeout', String(waitMs / 1000), '--conflict-exit-code', String(timedOutCode)];
  const args = ['--exclusive', ...wait, path, 'cat'];
  const child = spawn('flock', args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: commandEnvironment(process.env),
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  // Ends early: its exit says why.
  child.stdin.on('error', () => {});
  const lost = new AbortController();
  const ended = new Promise<number | undefined>((resolve, reject) => {
    child.on('error', (error) => reject(new CommandError('flock', args, spawnFailure('flock', error))));
    child.on('close', (code) => resolve(code ?? undefined));
  });
  ended.finally(() => lost.abort()).catch(() => {});

  // What cat gives back says that flock has started it.
  child.stdin.write('\n');
  const code = await Promise.race([once(child.stdout, 'data').then(() => 'held' as const), ended]);
  if (code === timedOutCode) return undefined;
  if (code !== 'held') {
    throw new CommandError('flock', args, { kind: 'exit', exitCode: code ?? 1, output: complaint.trim() });
  }
  child.unref();
  return {
    lost: lost.signal,
    release: () => child.stdin.end(),
  };
}
