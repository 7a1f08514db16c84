// `npm run test:pack`: packs every package, looks into each file, and uses them as somebody would who has nothing else of the project:
// installed by name, type-checked, imported, and by npx. Needs no network. The last line is "N passed, N failed".
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createLedger, type Ledger } from '../chart/ledger.ts';
import { checkCommand } from './command.ts';
import { checkConsumer, readManifest } from './consumer.ts';
import { problemsOf } from './contents.ts';
import { pack, type Tarball } from './pack.ts';
import { serveRegistry } from './registry.ts';
import { run } from './run.ts';
import { sizeTable } from './size-table.ts';
import { createUser } from './user.ts';

const root = join(import.meta.dirname, '..', '..');
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
const home = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-pack-')));
process.exitCode = await main(stop.signal);
rmSync(home, { recursive: true, force: true });

async function main(signal: AbortSignal): Promise<number> {
  const ledger = createLedger(console.log);
  try {
    await check(ledger, signal);
  } catch (error) {
    if (signal.aborted) return 130;
    ledger.count('the run itself', error instanceof Error ? error.message : String(error));
  }
  console.log(`\n${ledger.summary()}`);
  return ledger.hasFailed() ? 1 : 0;
}

async function check(ledger: Ledger, signal: AbortSignal): Promise<void> {
  const tarballs = await pack({ root, signal });
  console.log(sizeTable(tarballs));
  console.log('── what is in them');
  const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const folders = await Promise.all(tarballs.map((tarball) => unpack(tarball, signal)));
  for (const folder of folders) {
    const problems = problemsOf(folder, { root, version });
    ledger.count(readManifest(folder).name, problems.length === 0 ? undefined : problems.join('\n    '));
  }
  const store = join(home, 'registry');
  mkdirSync(store);
  const registry = await serveRegistry(tarballs, { root, store, signal });
  try {
    const user = createUser({ home, registry, signal });
    console.log('── for somebody who imports them');
    await checkConsumer(ledger, folders.map(readManifest), user);
    console.log('── for somebody who runs the command');
    const command = tarballs.find(({ name }) => name === '@holdfast/holdfast');
    if (command === undefined) throw new Error('@holdfast/holdfast was not packed');
    await checkCommand(ledger, command.path, user, signal);
  } finally {
    registry.close();
  }
}

async function unpack({ path }: Tarball, signal: AbortSignal): Promise<string> {
  const folder = join(home, 'unpacked', basename(path, '.tgz'));
  mkdirSync(folder, { recursive: true });
  await run('tar', ['-xzf', path, '-C', folder, '--strip-components=1'], { cwd: home, signal });
  return folder;
}
