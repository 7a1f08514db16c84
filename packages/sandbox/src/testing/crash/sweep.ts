import { type CrashPoint, crashPhases, describePoint } from './call-gate.ts';
import { type CrashRig, type CrashSubject, FIRST_HOST } from './crash-rig.ts';

/** A life of objects during which a program is killed, once at each of its calls. */
export interface CrashScenario {
  readonly name: string;
  readonly subject: CrashSubject;
  /** What there is before the program starts. */
  prepare(rig: CrashRig): Promise<void>;
  /** The whole life, from the first object to the last trace of it. It waits as users wait: by looking. */
  live(rig: CrashRig, signal: AbortSignal): Promise<void>;
  /** What may happen while the program is down; each is a sweep of its own. `kept`, where nothing happens, always is. */
  readonly meanwhile: Readonly<Record<string, (rig: CrashRig) => Promise<void>>>;
  /** Waits until nothing is left to do for anybody, after a life that was cut short. */
  rest(rig: CrashRig, signal: AbortSignal): Promise<void>;
  /** Where the one that is started after the kill runs; each is a sweep of its own. Default: where the first one ran. */
  readonly successors?: readonly string[];
  /** What there is to do before one is started elsewhere. */
  beforeTakeOver?(rig: CrashRig): Promise<void>;
}

/** One kill, and what comes after it. Plain data, so that another process can try it. */
export interface CrashAttempt {
  readonly point: CrashPoint;
  readonly meanwhile: string;
  readonly successor: string;
}

export function describeAttempt({ point, meanwhile, successor }: CrashAttempt): string {
  const heir = successor === FIRST_HOST ? '' : `, then ${successor}`;
  return `${describePoint(point)}, ${meanwhile}${heir}`;
}

export interface Violation {
  readonly scenario: string;
  readonly attempt: string;
  readonly what: string;
}

/** All that is found where the call never came: a lease is renewed by the clock, and what runs side by side differs in number. */
export const NOT_REACHED = 'the call did not come';
/** More of them, and it is the harness that does not do what it says. */
const MOST_NOT_REACHED = 0.1;

export interface SweepReport {
  readonly points: number;
  /** Points of calls that only the life made in which they were counted. */
  readonly notReached: number;
  readonly violations: readonly Violation[];
}

/** Who does the work of a sweep: this process, or others. */
export interface SweepWorker {
  /** @returns the calls of a life in which nothing goes wrong */
  calls(scenario: CrashScenario): Promise<readonly string[]>;
  /** @returns what did not hold */
  attempt(scenario: CrashScenario, attempt: CrashAttempt): Promise<readonly string[]>;
}

export interface SweepOptions {
  readonly worker: SweepWorker;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** For looking into one point: only those whose description contains it. */
  readonly only?: string;
}

export const KEPT = 'kept';
const SAY_EVERY = 100;

/** Kills the program at every call of a whole life, in every phase of the call, with everything that may happen meanwhile. */
export async function sweepCrashPoints(scenario: CrashScenario, options: SweepOptions): Promise<SweepReport> {
  const { worker, say, signal, only = '' } = options;
  const calls = await worker.calls(scenario);
  const attempts = attemptsOf(scenario, calls).filter((attempt) => describeAttempt(attempt).includes(only));
  say(`${scenario.name}: ${calls.length} calls, ${attempts.length} points`);
  const violations: Violation[] = [];
  let points = 0;
  let notReached = 0;
  await Promise.all(
    attempts.map(async (attempt) => {
      const found = await worker.attempt(scenario, attempt);
      if (signal.aborted) return;
      if (found.length === 1 && found[0] === NOT_REACHED) {
        notReached += 1;
        return;
      }
      points += 1;
      if (points % SAY_EVERY === 0) say(`${scenario.name}: ${points} of ${attempts.length}`);
      for (const what of found) {
        violations.push({ scenario: scenario.name, attempt: describeAttempt(attempt), what });
        say(`${scenario.name}: ${describeAttempt(attempt)}: ${what}`);
      }
    }),
  );
  if (notReached > attempts.length * MOST_NOT_REACHED) {
    const what = `${notReached} of ${attempts.length} calls did not come when they were waited for`;
    violations.push({ scenario: scenario.name, attempt: 'the sweep', what });
    say(`${scenario.name}: ${what}`);
  }
  return { points, notReached, violations };
}

function attemptsOf(scenario: CrashScenario, calls: readonly string[]): CrashAttempt[] {
  const { meanwhile, successors = [FIRST_HOST] } = scenario;
  const points = calls.flatMap((call) => crashPhases.map((phase): CrashPoint => ({ call, phase })));
  return successors.flatMap((successor) =>
    [KEPT, ...Object.keys(meanwhile)].flatMap((name) => points.map((point) => ({ point, meanwhile: name, successor }))),
  );
}
