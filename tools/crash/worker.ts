// A process of the pool: it tries the crash points that it is sent, several at once, until its parent lets it go.
import { errorMessage } from '@holdfast/core';
import { createSweepWorker } from '@holdfast/sandbox/testing';
import type { Answered, Asked, Task } from './messages.ts';
import { sweeps } from './sweeps.ts';

const PATIENCE_MS = 120_000;

const stop = new AbortController();
const worker = createSweepWorker({ signal: stop.signal, patienceMs: PATIENCE_MS });
const scenarios = new Map(Object.values(sweeps).flatMap((found) => found.map((each) => [each.name, each] as const)));

// Ctrl-C reaches the whole group; the parent says what to do.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());
process.on('message', (asked: Asked) => void answer(asked));

async function answer(asked: Asked): Promise<void> {
  const { id } = asked;
  let answered: Answered;
  try {
    answered = { id, lines: await perform(asked) };
  } catch (error) {
    answered = { id, lines: [], error: errorMessage(error) };
  }
  process.send?.(answered);
}

async function perform(task: Task): Promise<readonly string[]> {
  const scenario = scenarios.get(task.scenario);
  if (scenario === undefined) throw new Error(`there is no scenario "${task.scenario}"`);
  if (task.kind === 'calls') return await worker.calls(scenario);
  return await worker.attempt(scenario, task.attempt);
}
