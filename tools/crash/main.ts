// `npm run test:crash -- external-attacher`: ends a sidecar at every single API call and RPC of its objects' lives, starts another,
// and checks that nothing is lost, left or done twice; the driver is killed at every step that touches the disk or the kernel.
// The last lines are "points N, violations M" and "N passed, M failed".
import { availableParallelism } from 'node:os';
import { errorMessage } from '@holdfast/core';
import { type CrashScenario, sweepCrashPoints } from '@holdfast/sandbox/testing';
import { parseArguments } from './arguments.ts';
import { bundle } from './bundle.ts';
import { sweepDriver } from './driver/driver.ts';
import { startPool } from './pool.ts';
import { sweeps } from './sweeps.ts';

const AT_ONCE = 10;

interface Count {
  readonly points: number;
  readonly notReached: number;
  readonly violations: number;
  /** Points with a violation, and lives that did not come to their end without any kill. */
  readonly failed: number;
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(new Error(`stopped by ${name}`)));

process.exitCode = await run();

async function run(): Promise<number> {
  const given = parseArguments(process.argv.slice(2), [...Object.keys(sweeps), 'driver']);
  if (given.kind === 'wrong') {
    console.error(`crash: ${given.message}`);
    return 2;
  }
  const counts: Count[] = [];
  for (const name of given.names) {
    if (stop.signal.aborted) break;
    const startedMs = performance.now();
    const found = sumOf(name === 'driver' ? [await driver(given.only)] : await sidecar(name, given.only));
    counts.push(found);
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    const others = found.notReached === 0 ? '' : `, and ${found.notReached} of calls that only some lives make`;
    console.log(`${name}: ${found.points} points in ${seconds} s${others}`);
  }
  if (stop.signal.aborted) {
    console.error('crash: stopped before the end');
    return 1;
  }
  const { points, violations, failed } = sumOf(counts);
  console.log(`points ${points}, violations ${violations}`);
  console.log(`${Math.max(0, points - failed)} passed, ${failed} failed`);
  return violations === 0 && points > 0 ? 0 : 1;
}

async function sidecar(name: string, only: string | undefined): Promise<readonly Count[]> {
  const pool = startPool({ processes: availableParallelism(), atOnce: AT_ONCE });
  const stopPool = (): void => pool.stop();
  stop.signal.addEventListener('abort', stopPool);
  const options = { worker: pool, say: console.log, signal: stop.signal, ...(only === undefined ? {} : { only }) };

  async function sweep(scenario: CrashScenario): Promise<Count> {
    try {
      const { points, notReached, violations } = await sweepCrashPoints(scenario, options);
      const failed = new Set(violations.map(({ attempt }) => attempt)).size;
      return { points, notReached, violations: violations.length, failed };
    } catch (error) {
      // Not even a life without a crash came to its end.
      if (!stop.signal.aborted) console.error(`${scenario.name}: ${errorMessage(error)}`);
      return { points: 0, notReached: 0, violations: 1, failed: 1 };
    }
  }

  try {
    return await Promise.all((sweeps[name] ?? []).map(sweep));
  } finally {
    stop.signal.removeEventListener('abort', stopPool);
    pool.stop();
  }
}

async function driver(only: string | undefined): Promise<Count> {
  try {
    const file = await bundle('driver');
    const { points, violations } = await sweepDriver({ file, only, say: console.log, signal: stop.signal });
    return { points, notReached: 0, violations, failed: violations };
  } catch (error) {
    console.error(`driver: ${errorMessage(error)}`);
    return { points: 0, notReached: 0, violations: 1, failed: 1 };
  }
}

function sumOf(counts: readonly Count[]): Count {
  const sum = (of: (count: Count) => number): number => counts.reduce((all, count) => all + of(count), 0);
  return {
    points: sum((each) => each.points),
    notReached: sum((each) => each.notReached),
    violations: sum((each) => each.violations),
    failed: sum((each) => each.failed),
  };
}
