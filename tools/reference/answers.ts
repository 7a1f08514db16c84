import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { errorMessage } from '@holdfast/core';
import { buildReference, referenceProgram } from './build.ts';

const root = join(import.meta.dirname, '..', '..');

/**
 * Whether the answers that tests of a package compare with, a line each, are those that a Go program gives. With `--write`
 * they become so. The last line is "N passed, 0 failed" when they are.
 * @returns the exit code
 */
export async function compareAnswers(deps: {
  /** A reference program, which prints the answers. */
  readonly program: string;
  /** Of `npm run test:NAME`. */
  readonly name: string;
  /** From the root of the repository; it is gzipped. */
  readonly fixture: string;
  readonly args: readonly string[];
}): Promise<number> {
  const { program, name, args } = deps;
  const fixture = join(root, deps.fixture);
  const unknown = args.filter((arg) => arg !== '--write');
  if (unknown.length > 0) {
    console.error(`${name}: unknown argument ${unknown.join(' ')}; the only one is --write`);
    return 2;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  try {
    const { failed } = await buildReference([program], { say: console.log, signal: stop.signal });
    if (failed.length > 0) return 1;
  } catch (error) {
    if (stop.signal.aborted) return 130;
    console.error(`${name}: ${errorMessage(error)}`);
    return 1;
  }
  const given = execFileSync(referenceProgram(program), { encoding: 'utf8', maxBuffer: 64 * 2 ** 20 });
  if (args.includes('--write')) writeFileSync(fixture, gzipSync(given, { level: 9 }));
  const kept = existsSync(fixture) ? gunzipSync(readFileSync(fixture)).toString('utf8') : '';
  const answers = given.trimEnd().split('\n').length;
  console.log(
    kept === given ? `${answers} passed, 0 failed` : `${relative(root, fixture)} is not what the library says`,
  );
  if (kept !== given) console.log(`npm run test:${name} -- --write renews it`);
  return kept === given ? 0 : 1;
}
