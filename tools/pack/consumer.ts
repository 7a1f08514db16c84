// A program that uses every package: it is type-checked and run, apart from these sources.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ledger } from '../chart/ledger.ts';
import type { PublishedManifest } from './manifest.ts';
import { failure, type User } from './user.ts';

export async function checkConsumer(
  ledger: Ledger,
  manifests: readonly PublishedManifest[],
  user: User,
): Promise<void> {
  const folder = user.folder('consumer');
  const versions = Object.fromEntries(manifests.map(({ name, version }) => [name, version]));
  const tools = { '@types/node': '*', typescript: '*' };
  write(folder, 'package.json', { name: 'consumer', type: 'module', dependencies: versions, devDependencies: tools });
  const installed = failure(await user.run('npm', ['install'], folder));
  ledger.count('every package installs by name and version', installed);
  if (installed !== undefined) return;
  const entries = manifests.flatMap(({ name, exports }) =>
    Object.entries(exports)
      .filter(([, target]) => typeof target !== 'string')
      .map(([entry]) => `${name}${entry.slice(1)}`),
  );
  await checkTypes(ledger, entries, folder, user);
  for (const entry of entries) await checkImport(ledger, entry, folder, user);
  for (const program of manifests.flatMap(({ bin }) => Object.keys(bin ?? {}))) {
    const ran = await user.run(join(folder, 'node_modules', '.bin', program), ['--help'], folder);
    ledger.count(
      `${program} --help`,
      failure(ran) ?? (`${ran.stdout}${ran.stderr}` === '' ? 'it said nothing' : undefined),
    );
  }
}

/** Declarations are checked too, so a type that leads nowhere is an error; a module that lost its types is `any`. */
async function checkTypes(ledger: Ledger, entries: readonly string[], folder: string, user: User): Promise<void> {
  const code = [
    'type IsAny<T> = 0 extends 1 & T ? true : false;',
    ...entries.map((entry, n) => `import * as module${n} from '${entry}';`),
    ...entries.map((_, n) => `export const isAny${n}: IsAny<typeof module${n}> = false;`),
  ];
  writeFileSync(join(folder, 'consumer.ts'), code.join('\n'));
  const compilerOptions = {
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable', 'esnext.iterator'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
  };
  write(folder, 'tsconfig.json', { compilerOptions, files: ['consumer.ts'] });
  const { stdout, stderr } = await user.run('npx', ['tsc', '--pretty', 'false'], folder);
  // What dependencies get wrong in declarations of their own is not ours to mend.
  const lines = `${stdout}${stderr}`.split('\n');
  const errors = lines.filter((line) => /\berror TS/.test(line) && !/^node_modules\/(?!@holdfast\/)/.test(line));
  ledger.count(`types of ${entries.length} entry points`, errors.length === 0 ? undefined : errors.join('\n'));
}

/** What `sideEffects: false` promises: an import gives names, listens to nothing, and holds nothing open. */
const watchImport = `
const [entry] = process.argv.slice(1);
// Whoever looks at them first opens them.
void process.stdout, process.stderr;
const seen = () => process.eventNames().join() + ' ' + process.getActiveResourcesInfo().join();
const before = seen();
if (Object.keys(await import(entry)).length === 0) throw new Error('it exports nothing');
const after = seen();
if (after !== before) throw new Error('the import alone changed the process: ' + before + ' became ' + after);
`;

async function checkImport(ledger: Ledger, entry: string, folder: string, user: User): Promise<void> {
  const ran = await user.run(process.execPath, ['--input-type=module', '--eval', watchImport, entry], folder);
  const said = `${ran.stdout}${ran.stderr}`;
  ledger.count(`import of ${entry}`, failure(ran) ?? (said === '' ? undefined : `it said: ${said}`));
}

function write(folder: string, name: string, value: unknown): void {
  writeFileSync(join(folder, name), JSON.stringify(value, undefined, 2));
}

export function readManifest(folder: string): PublishedManifest {
  const manifest: PublishedManifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return manifest;
}
