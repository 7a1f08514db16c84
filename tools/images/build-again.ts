import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { makeTemporaryFolder } from '../rig/temporary-folder.ts';

const root = join(import.meta.dirname, '..', '..');

/** A checkout of its own, with the libraries of this one. */
function checkoutInto(copy: string): void {
  for (const part of ['packages', 'tools/build.ts', 'tools/bundle-options.ts', 'package.json', 'tsconfig.base.json']) {
    const isSource = (file: string): boolean => !['node_modules', 'dist'].includes(basename(file));
    cpSync(join(root, part), join(copy, part), { recursive: true, filter: isSource });
  }
  const modules = join(copy, 'node_modules');
  mkdirSync(join(modules, '@holdfast'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== '@holdfast') symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  for (const name of readdirSync(join(copy, 'packages'))) {
    symlinkSync(join(copy, 'packages', name), join(modules, '@holdfast', name));
  }
}

/** Bundles a program in a clean folder. @returns the digest of each file */
function bundled(name: string, env: NodeJS.ProcessEnv): Record<string, string> {
  const folder = makeTemporaryFolder('build');
  try {
    return digestsOf(folder.path, name, env);
  } finally {
    folder.remove();
  }
}

function digestsOf(copy: string, name: string, env: NodeJS.ProcessEnv): Record<string, string> {
  checkoutInto(copy);
  const cwd = join(copy, 'packages', name);
  execFileSync(process.execPath, [join(copy, 'tools', 'build.ts')], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const dist = join(cwd, 'dist');
  const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files
      .map(({ parentPath, name: file }) => join(parentPath, file))
      .map((file) => [file.slice(dist.length), createHash('sha256').update(readFileSync(file)).digest('hex')]),
  );
}

/** Files that differ between two builds of one program in clean folders, at other times and places of the world. */
export function filesThatDiffer(name: string): string[] {
  const first = bundled(name, { SOURCE_DATE_EPOCH: '1700000000', TZ: 'UTC', LANG: 'C' });
  const second = bundled(name, { SOURCE_DATE_EPOCH: '1700000000', TZ: 'Asia/Tokyo', LANG: 'en_GB.UTF-8' });
  return [...new Set([...Object.keys(first), ...Object.keys(second)])].filter((file) => first[file] !== second[file]);
}
