// `npm run test:wire`: what /proto declares, held against the descriptors that the published Go modules are compiled with.
// The last line is "N passed, N failed"; a message, an enum, a service and an option count as one, and so does a file's head.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { buildReference, referenceProgram } from '../reference/build.ts';
import { compareDeclarations } from './compare.ts';
import { declarationsOf } from './declarations.ts';

const root = join(import.meta.dirname, '..', '..');
const program = 'wire-descriptors';
const maxBuffer = 64 * 2 ** 20;

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
process.exitCode = await compareWithPublished();

async function compareWithPublished(): Promise<number> {
  try {
    const { failed } = await buildReference([program], { say: console.log, signal: stop.signal });
    if (failed.length > 0) return 1;
  } catch (error) {
    if (stop.signal.aborted) return 130;
    console.error(`wire: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
  const theirs = declarationsOf(execFileSync(referenceProgram(program), { encoding: 'utf8', maxBuffer }));
  const compared = compareDeclarations(declarationsOf(ourDescriptors()), theirs);
  const different = compared.filter(({ differences }) => differences.length > 0);
  for (const { name, differences } of different) {
    console.log(`FAILED ${name}`);
    for (const difference of differences) console.log(`    ${difference}`);
  }
  console.log(`\n${compared.length - different.length} passed, ${different.length} failed`);
  return different.length === 0 ? 0 : 1;
}

function ourDescriptors(): string {
  const buf = join(root, 'node_modules', '.bin', 'buf');
  const args = ['build', join(root, 'proto'), '--as-file-descriptor-set', '--exclude-imports', '--exclude-source-info'];
  return execFileSync(process.execPath, [buf, ...args, '--output', '-#format=json'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer,
  });
}
