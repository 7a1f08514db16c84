// `npm run test:crash -- external-provisioner`: kills a sidecar at every single API call and RPC of its objects' lives, starts it
// again, and checks that nothing is lost, left or done twice; the driver at every step that touches the disk or the kernel. The last line is "points N, violations M".
import { availableParallelism } from 'node:os';
import { errorMessage } from '@holdfast/core';
import { sweepCrashPoints } from '@holdfast/sandbox/testing';
import { parseArguments } from './arguments.ts';
import { bundle } from './bundle.ts';
import { sweepDriver } from './driver/driver.ts';
import { provisionerScenarios } from './external-provisioner.ts';

const sweeps = { 'external-provisioner': provisionerScenarios };
const PATIENCE_MS = 60_000;

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(new Error(`stopped by ${name}`)));

process.exitCode = await run();

async function run(): Promise<number> {
  const given = parseArguments(process.argv.slice(2), [...Object.keys(sweeps), 'driver']);
  if (given.kind === 'wrong') {
    console.error(`crash: ${given.message}`);
    return 2;
  }
  let points = 0;
  let violations = 0;
  for (const [name, scenariosOf] of Object.entries(sweeps)) {
    if (!given.names.includes(name)) continue;
    const file = await bundle(name);
    for (const scenario of scenariosOf(file)) {
      if (stop.signal.aborted) break;
      try {
        const report = await sweepCrashPoints(scenario, {
          say: console.log,
          signal: stop.signal,
          parallel: Math.max(2, availableParallelism()),
          patienceMs: PATIENCE_MS,
          ...(given.only === undefined ? {} : { only: given.only }),
        });
        points += report.points;
        violations += report.violations.length;
      } catch (error) {
        if (stop.signal.aborted) break;
        // Not even a life without a crash came to its end.
        console.error(`${scenario.name}: ${errorMessage(error)}`);
        violations += 1;
      }
    }
  }
  if (given.names.includes('driver') && !stop.signal.aborted) {
    try {
      const file = await bundle('driver');
      const report = await sweepDriver({ file, only: given.only, say: console.log, signal: stop.signal });
      points += report.points;
      violations += report.violations;
    } catch (error) {
      console.error(`driver: ${errorMessage(error)}`);
      violations += 1;
    }
  }
  if (stop.signal.aborted) console.error('crash: stopped before the end');
  console.log(`points ${points}, violations ${violations}`);
  return violations === 0 && points > 0 && !stop.signal.aborted ? 0 : 1;
}
