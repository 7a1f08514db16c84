// `npm run release:version`: what the changesets ask for becomes the version of every package, of the chart and of the project, and
// their words go into CHANGELOG.md. RELEASING.md says what comes before and after.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../pack/run.ts';
import { addRelease, parseChangeset } from './changelog.ts';

const root = process.cwd();
const { signal } = new AbortController();

const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');
const replaceIn = (path: string, pattern: RegExp, by: string): void =>
  writeFileSync(join(root, path), read(path).replace(pattern, by));

const files = readdirSync(join(root, '.changeset')).filter((name) => name.endsWith('.md'));
if (files.length === 0) {
  console.error('release:version: there is no changeset in .changeset; `npx changeset` writes one');
  process.exit(1);
}
const changes = files.toSorted().map((name) => parseChangeset(read('.changeset', name), `.changeset/${name}`));
await run('changeset', ['version'], { cwd: root, signal });
const { version }: { version: string } = JSON.parse(read('packages', 'core', 'package.json'));
const date = new Date().toISOString().slice(0, 10);
writeFileSync(join(root, 'CHANGELOG.md'), addRelease(read('CHANGELOG.md'), { version, date, changes }));
replaceIn('package.json', /"version": ".*"/, `"version": "${version}"`);
replaceIn('deploy/chart/Chart.yaml', /^version: .*$/m, `version: ${version}`);
replaceIn('deploy/chart/Chart.yaml', /^appVersion: .*$/m, `appVersion: ${version}`);
replaceIn('package-lock.json', /"version": ".*"/, `"version": "${version}"`);
replaceLockedVersions();
console.log(`every package, the chart and the changelog are at ${version}; next: npm run test:chart -- --update`);

/** npm would write the same, but asks the registry for everything else on the way. */
function replaceLockedVersions(): void {
  const lock: { packages: Record<string, { version?: string }> } = JSON.parse(read('package-lock.json'));
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path === '') entry.version = version;
    if (!path.startsWith('packages/') || path.includes('node_modules/')) continue;
    lock.packages[path] = { ...entry, ...lockedManifest(path) };
  }
  writeFileSync(join(root, 'package-lock.json'), `${JSON.stringify(lock, undefined, 2)}\n`);
}

function lockedManifest(path: string): object {
  const manifest: Record<string, unknown> = JSON.parse(read(path, 'package.json'));
  const kept = ['version', 'dependencies', 'devDependencies'].filter((field) => isFilled(manifest[field]));
  return Object.fromEntries(kept.map((field) => [field, manifest[field]]));
}

function isFilled(value: unknown): boolean {
  return typeof value === 'string' || (typeof value === 'object' && value !== null && Object.keys(value).length > 0);
}
