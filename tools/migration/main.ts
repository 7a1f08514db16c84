// `npm run test:migration`: whether the answers of k8s.io/csi-translation-lib that packages/migration is tested against are those
// that the library gives. With `-- --write` they become so.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { buildReference, referenceProgram } from '../reference/build.ts';

const root = join(import.meta.dirname, '..', '..');
const fixture = join(root, 'packages', 'migration', 'src', 'testing', 'go-answers.jsonl.gz');
const program = 'migration-answers';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
process.exitCode = await compareWithLibrary(process.argv.slice(2));

async function compareWithLibrary(args: readonly string[]): Promise<number> {
  const unknown = args.filter((arg) => arg !== '--write');
  if (unknown.length > 0) {
    console.error(`migration: unknown argument ${unknown.join(' ')}; the only one is --write`);
    return 2;
  }
  try {
    const { failed } = await buildReference([program], { say: console.log, signal: stop.signal });
    if (failed.length > 0) return 1;
  } catch (error) {
    if (stop.signal.aborted) return 130;
    console.error(`migration: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
  const given = execFileSync(referenceProgram(program), { encoding: 'utf8', maxBuffer: 64 * 2 ** 20 });
  if (args.includes('--write')) writeFileSync(fixture, gzipSync(given, { level: 9 }));
  const kept = existsSync(fixture) ? gunzipSync(readFileSync(fixture)).toString('utf8') : '';
  const answers = given.trimEnd().split('\n').length;
  console.log(
    kept === given ? `${answers} passed, 0 failed` : `${relative(root, fixture)} is not what the library says`,
  );
  if (kept !== given) console.log('npm run test:migration -- --write renews it');
  return kept === given ? 0 : 1;
}
