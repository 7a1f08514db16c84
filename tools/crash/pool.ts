import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { SweepWorker } from '@holdfast/sandbox/testing';
import type { Answered, Task } from './messages.ts';

export interface Pool extends SweepWorker {
  stop(): void;
}

interface Waiting {
  readonly task: Task;
  readonly settle: (answer: { lines: readonly string[] } | { error: Error }) => void;
}

/**
 * Crash points are tried in as many processes as there are processors, several at once in each: half of a try is waiting.
 * What one process cannot keep apart (its processor, its memory) is no part of what is tried.
 */
export function startPool(options: { processes: number; atOnce: number }): Pool {
  const queue: Waiting[] = [];
  const members = Array.from({ length: options.processes }, () => startMember(options.atOnce, queue));
  const hand = (task: Task): Promise<readonly string[]> =>
    new Promise((resolve, reject) => {
      const settle: Waiting['settle'] = (answer) => {
        if ('error' in answer) reject(answer.error);
        else resolve(answer.lines);
      };
      queue.push({ task, settle });
      for (const member of members) member.serve();
    });
  return {
    calls: ({ name }) => hand({ kind: 'calls', scenario: name }),
    attempt: ({ name }, attempt) => hand({ kind: 'attempt', scenario: name, attempt }),
    stop() {
      queue.length = 0;
      for (const member of members) member.stop();
    },
  };
}

function startMember(atOnce: number, queue: Waiting[]): { serve(): void; stop(): void } {
  const child = fork(join(import.meta.dirname, 'worker.ts'), {
    stdio: 'inherit',
    execArgv: ['--max-semi-space-size=32'],
  });
  const running = new Map<number, Waiting>();
  let ids = 0;

  function serve(): void {
    while (child.connected && running.size < atOnce) {
      const next = queue.shift();
      if (next === undefined) return;
      ids += 1;
      running.set(ids, next);
      child.send({ ...next.task, id: ids });
    }
  }

  /** What it had, and what nobody may be left to take. A point that was not tried is not one that held. */
  function fail(reason: Error): void {
    for (const { settle } of [...running.values(), ...queue.splice(0)]) settle({ error: reason });
    running.clear();
  }

  child.on('message', ({ id, lines, error }: Answered) => {
    running.get(id)?.settle(error === undefined ? { lines } : { error: new Error(error) });
    running.delete(id);
    serve();
  });
  child.once('error', fail);
  child.once('exit', (code, signal) => fail(new Error(`a process of the pool has ended with ${signal ?? code}`)));
  return { serve, stop: () => void child.kill('SIGKILL') };
}
