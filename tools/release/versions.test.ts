import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { run } from '../pack/run.ts';

const root = join(import.meta.dirname, '..', '..');

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Every place that tells a version, with the version it tells. */
function versionsIn(folder: string): Record<string, string | undefined> {
  const read = (...path: string[]): string => readFileSync(join(folder, ...path), 'utf8');
  const told: Record<string, string | undefined> = {};
  const packages = readdirSync(join(folder, 'packages')).map((name) => join('packages', name));
  for (const path of ['.', ...packages]) {
    const manifest: Manifest = JSON.parse(read(path, 'package.json'));
    told[path] = manifest.version;
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      if (name.startsWith('@holdfast/')) told[`${path} needs ${name}`] = version;
    }
  }
  const lock: { version: string; packages: Record<string, Manifest> } = JSON.parse(read('package-lock.json'));
  told['package-lock.json'] = lock.version;
  for (const path of packages) told[`package-lock.json: ${path}`] = lock.packages[path]?.version;
  const chart = read('deploy', 'chart', 'Chart.yaml');
  told['the chart'] = /^version: (.*)$/m.exec(chart)?.[1];
  told['what the chart installs'] = /^appVersion: (.*)$/m.exec(chart)?.[1];
  told['CHANGELOG.md, the first release'] = /^## (\S+)/m.exec(read('CHANGELOG.md'))?.[1];
  return told;
}

test('packages, what they need of each other, chart and changelog tell one version', () => {
  const told = versionsIn(root);
  expect(new Set(Object.values(told)), JSON.stringify(told, undefined, 2)).toHaveLength(1);
});

test('sources cannot be published by mistake', () => {
  for (const folder of readdirSync(join(root, 'packages'))) {
    const manifest: Manifest = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'));
    expect(manifest, folder).toMatchObject({ private: true, name: `@holdfast/${folder}` });
  }
});

test('a changeset of one package raises every version, and its words reach the changelog', {
  timeout: 120_000,
}, async () => {
  const copy = copyOfManifests();
  const env = { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH']}` };
  const deps = { cwd: copy, env, signal: new AbortController().signal };
  for (const args of [
    ['init', '-q', '-b', 'main'],
    ['add', '.'],
    ['-c', 'user.name=n', '-c', 'user.email=e', 'commit', '-qm', 'start'],
  ]) {
    await run('git', args, deps);
  }
  writeFileSync(join(copy, '.changeset', 'one.md'), "---\n'@holdfast/mount': minor\n---\n\nMounts are faster.\n");
  await run(process.execPath, [join(root, 'tools', 'release', 'main.ts')], deps);
  const told = versionsIn(copy);
  expect(new Set(Object.values(told)), JSON.stringify(told, undefined, 2)).toHaveLength(1);
  expect(Object.values(told)).not.toContain(versionsIn(root)['.']);
  expect(readFileSync(join(copy, 'CHANGELOG.md'), 'utf8')).toContain('### New\n\n- Mounts are faster.\n');
  expect(readdirSync(join(copy, '.changeset'))).toEqual(['config.json']);
});

function copyOfManifests(): string {
  const copy = mkdtempSync(join(tmpdir(), 'holdfast-release-'));
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
  const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/package.json`);
  const files = [
    'package.json',
    'package-lock.json',
    'CHANGELOG.md',
    '.changeset/config.json',
    'deploy/chart/Chart.yaml',
  ];
  for (const path of [...files, ...packages]) {
    mkdirSync(join(copy, path, '..'), { recursive: true });
    cpSync(join(root, path), join(copy, path));
  }
  writeFileSync(join(copy, '.gitignore'), 'node_modules\n');
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}
