import { errorMessage } from '@holdfast/core';
import { type CrashRig, FIRST_HOST, type SubjectRun, startCrashRig } from './crash-rig.ts';
import { type CrashAttempt, type CrashScenario, NOT_REACHED, type SweepWorker } from './sweep.ts';

const TRIES = 3;

/** Tries crash points in this process, as many at once as it is asked for. */
export function createSweepWorker(options: {
  readonly signal: AbortSignal;
  /** Longest that a life, a restart or a rest may take. */
  readonly patienceMs: number;
}): SweepWorker {
  const patience = () => AbortSignal.any([options.signal, AbortSignal.timeout(options.patienceMs)]);
  return {
    calls: (scenario) => undisturbed(scenario, patience),
    /** A point that is not reached is tried again: what runs side by side may come in another number. */
    async attempt(scenario, attempt) {
      for (let tries = 1; tries <= TRIES; tries += 1) {
        const found = await tryOnce(scenario, attempt, patience);
        if (found !== 'unreached') return found;
      }
      return [NOT_REACHED];
    },
  };
}

/** The calls of a life in which nothing goes wrong, to the last one of a clean end. */
async function undisturbed(scenario: CrashScenario, patience: () => AbortSignal): Promise<readonly string[]> {
  const rig = await startCrashRig(scenario.subject);
  try {
    await scenario.prepare(rig);
    const program = rig.start();
    await orItsEnd(program, liveAndRest(scenario, rig, patience()));
    await end(program);
    await rig.history.checkRest();
    const [violation] = rig.history.violations;
    if (violation !== undefined) throw new Error(`without any crash: ${violation}`);
    return [...rig.gate.calls];
  } finally {
    await rig.stop();
  }
}

async function tryOnce(
  scenario: CrashScenario,
  { point, meanwhile, successor }: CrashAttempt,
  patience: () => AbortSignal,
): Promise<readonly string[] | 'unreached'> {
  const rig = await startCrashRig(scenario.subject);
  const { gate, history } = rig;
  const problems: string[] = [];
  let phase = 'at the start';
  try {
    await scenario.prepare(rig);
    const first = rig.start();
    gate.arm(point, () => first.end());
    const cutShort = new AbortController();
    const living = liveAndEnd(scenario, rig, first, AbortSignal.any([cutShort.signal, patience()]));
    let hasLived = false;
    // Its failure is of interest where it is waited for.
    living.then(() => (hasLived = true)).catch(() => {});
    phase = 'in the life that was to be cut';
    await Promise.race([gate.killed, living]);
    if (!gate.isReached) return 'unreached';
    await gate.killed;
    await first.exitCode;

    const act = scenario.meanwhile[meanwhile];
    if (act) {
      cutShort.abort();
      // What it still looks at must not see the next life.
      await living.catch(() => {});
      await act(rig);
    }
    if (successor !== FIRST_HOST) await scenario.beforeTakeOver?.(rig);
    gate.reopen();
    const second = rig.start(successor);
    phase = 'after the restart';
    // The second one serves, and what it took over is done before its end.
    const serves = !act && !hasLived ? living : liveAndRest(scenario, rig, patience());
    await orItsEnd(second, serves);
    phase = 'at the end';
    await end(second);
    await history.checkRest();
  } catch (error) {
    problems.push(`I11: ${phase}: ${errorMessage(error)}`);
  } finally {
    await rig.stop();
  }
  return [...history.violations, ...problems];
}

async function liveAndRest(scenario: CrashScenario, rig: CrashRig, signal: AbortSignal): Promise<void> {
  await scenario.live(rig, signal);
  await scenario.rest(rig, signal);
}

/** A life, and a clean end of the program, unless it was killed before. */
async function liveAndEnd(
  scenario: CrashScenario,
  rig: CrashRig,
  program: SubjectRun,
  signal: AbortSignal,
): Promise<void> {
  await liveAndRest(scenario, rig, signal);
  if (rig.gate.isReached) return;
  try {
    await end(program);
  } catch (error) {
    // Killed while it ended.
    if (!rig.gate.isReached) throw error;
  }
}

/** A program that ends by itself has done something wrong, and what waits for it would wait in vain. */
async function orItsEnd(program: SubjectRun, work: Promise<void>): Promise<void> {
  const ended = program.exitCode.then((code) => {
    throw new Error(`the program ended by itself with ${code}: ${program.log().slice(-500)}`);
  });
  ended.catch(() => {});
  await Promise.race([work, ended]);
}

async function end(program: SubjectRun): Promise<void> {
  program.end();
  const code = await program.exitCode;
  if (code !== 0) throw new Error(`the program ended with ${code}: ${program.log().slice(-500)}`);
}
