import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { CommandError, commandEnvironment, spawnFailure } from './command.ts';

/** What a look at a folder found. `silent`: nothing, because the file system under it does not answer. */
export type Writability = 'writable' | 'refused' | 'silent';

/** A Probe is to be answered within a second; what `test` does takes a few milliseconds. */
const patienceMs = 800;
/** For a child that had no turn at the processor yet, which tells nothing about the folder. */
const extraMs = 8_000;
/** A child that not even SIGKILL ends keeps others from being started; a folder that was mounted anew is looked at again after this. */
const nextTryMs = 600_000;

interface Look {
  readonly answer: Promise<Writability>;
  /** Settles when another one may be started. */
  readonly over: Promise<void>;
}

const looks = new Map<string, Look>();

/**
 * Whether this process may write to a folder, asked in a child, because access(2) on a dead mount never returns, and four such calls in
 * this process would take all of libuv's threads. There is one child for a folder at a time, however many ask and however long it hangs.
 * It does not wait for its turn with other commands: what waits there may be what hangs.
 */
export function findWritability(folder: string): Promise<Writability> {
  const running = looks.get(folder);
  if (running !== undefined) return running.answer;
  const look = lookAt(folder);
  looks.set(folder, look);
  const forget = (): void => void looks.delete(folder);
  look.over.then(forget, forget);
  return look.answer;
}

function lookAt(folder: string): Look {
  const child = spawn('test', ['-w', folder], { stdio: 'ignore', env: commandEnvironment(process.env) });
  // A child that hangs for ever must not keep this process from its end.
  child.unref();
  const ended = new Promise<Writability>((resolve, reject) => {
    child.once('error', (error) => reject(new CommandError('test', ['-w', folder], spawnFailure('test', error))));
    child.once('exit', (code) => resolve(code === 0 ? 'writable' : code === null ? 'silent' : 'refused'));
  });
  const answer = Promise.race([ended, silence(child)]);
  const over = Promise.race([ended.then(() => undefined), after(nextTryMs)]);
  return { answer, over };
}

async function silence(child: ChildProcess): Promise<Writability> {
  await after(patienceMs);
  if (!isWaiting(child)) await after(extraMs);
  child.kill('SIGKILL');
  return 'silent';
}

/** For the file system: it had its turn, and sleeps (proc(5), `State`). Read at once: libuv's threads may be what is wanting. */
function isWaiting({ pid, exitCode }: ChildProcess): boolean {
  if (pid === undefined || exitCode !== null) return false;
  try {
    return /^State:\s+[DS]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
