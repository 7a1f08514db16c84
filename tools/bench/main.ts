// `npm run bench`: our sidecars and the Go ones, in turn, on the same control plane, the same driver and the same load.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildReference } from '../reference/build.ts';
import { buildBundles } from '../rig/bundles.ts';
import { ArgumentError, type BenchArguments, parseArguments, usage } from './arguments.ts';
import { compare } from './compare.ts';
import { conditionsOf } from './conditions.ts';
import { readEarlier } from './earlier.ts';
import { measureAll } from './measure-all.ts';
import { renderPage } from './report.ts';
import { renderTables } from './tables.ts';

const page = join(import.meta.dirname, '..', '..', 'docs', 'benchmarks.md');
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(new Error(`stopped by ${name}`)));
const say = (line: string): void => console.error(`bench: ${line}`);

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const args = parseArguments(process.argv.slice(2));
    if (args === 'help') {
      console.log(usage);
      return 0;
    }
    return await run(args);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    if (stop.signal.aborted) return 130;
    return error instanceof ArgumentError ? 2 : 1;
  }
}

async function run(args: BenchArguments): Promise<number> {
  if (process.platform !== 'linux')
    throw new Error(`processes are measured through /proc; this is ${process.platform}`);
  await buildBundles(stop.signal);
  const programs = args.makers.includes('upstream') ? ['csi-provisioner', 'csi-attacher', 'csi-resizer'] : [];
  if (programs.length > 0) {
    const { failed } = await buildReference(programs, { say, signal: stop.signal });
    if (failed.length > 0) throw new Error(`not built: ${failed.join(', ')}; npm run reference says why`);
  }
  // Told before all the measuring, not after.
  readEarlier(args.earlierFiles, []);
  const measured = await measureAll(args, { say, signal: stop.signal });
  const measurements = [...measured, ...readEarlier(args.earlierFiles, measured)];
  const comparisons = compare(measurements);
  const conditions = conditionsOf(args);
  console.log(
    args.isJson
      ? JSON.stringify({ conditions, measurements, comparisons }, undefined, 2)
      : renderTables(comparisons, 2),
  );
  if (args.writesDocs) {
    writeFileSync(page, renderPage(comparisons, conditions));
    execFileSync('biome', ['format', '--write', page], { stdio: 'ignore' });
    say(`wrote ${page}`);
  }
  return 0;
}
