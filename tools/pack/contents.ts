// What may be in a package. Each rule is told as a problem, with the file that breaks it.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { PublishedManifest } from './manifest.ts';

const atTop = new Set(['LICENSE', 'README.md', 'dist', 'package.json']);
/** The start of a new driver's package, which is compiled there. */
const isTemplate = (path: string): boolean => path.startsWith('dist/template/');

/** @param folder a package as `npm install` unpacks it */
export function problemsOf(
  folder: string,
  { root, version }: { readonly root: string; readonly version: string },
): string[] {
  const manifest: PublishedManifest & { readonly private?: boolean; readonly scripts?: object } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return [
    ...[...atTop].filter((name) => !existsSync(join(folder, name))).map((name) => `${name} is missing`),
    ...files.flatMap((path) => wrongFile(path, manifest) ?? []),
    ...files.flatMap((path) => wrongText(path, readFileSync(join(folder, path), 'utf8'), root) ?? []),
    ...targetsOf(manifest).flatMap((path) => (existsSync(join(folder, path)) ? [] : [`package.json names ${path}`])),
    ...Object.values(manifest.bin ?? {}).flatMap((path) => wrongProgram(join(folder, path)) ?? []),
    ...brokenLinks(folder),
    ...wrongManifest(manifest, version),
  ];
}

function wrongFile(path: string, { exports }: PublishedManifest): string | undefined {
  const [top = ''] = path.split('/');
  if (!atTop.has(top)) return `${path} has no place at the top`;
  if (path.endsWith('.map')) return `${path} is a source map`;
  if (/\.(test|spec)\./.test(path)) return `${path} is a test`;
  if (path.startsWith('dist/testing/') && exports['./testing'] === undefined) return `${path} is for our tests alone`;
  if (path.endsWith('.ts') && !path.endsWith('.d.ts') && !isTemplate(path))
    return `${path} has types that Node does not strip here`;
  return undefined;
}

function wrongText(path: string, text: string, root: string): string | undefined {
  for (const secret of [root, homedir() === '/' ? root : `${homedir()}/`, 'sourceMappingURL=']) {
    if (text.includes(secret)) return `${path} has ${secret} in it`;
  }
  return undefined;
}

function targetsOf({ exports, bin = {} }: PublishedManifest): string[] {
  const entries = Object.values(exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  );
  return [...entries, ...Object.values(bin)];
}

function wrongProgram(path: string): string | undefined {
  if (!readFileSync(path, 'utf8').startsWith('#!/usr/bin/env node\n'))
    return `${path} does not start with #!/usr/bin/env node`;
  return (statSync(path).mode & 0o111) === 0 ? `${path} cannot be executed` : undefined;
}

function brokenLinks(folder: string): string[] {
  const readme = join(folder, 'README.md');
  const links = readFileSync(readme, 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g);
  return [...links]
    .map(([, target = '']) => target)
    .filter((target) => !existsSync(join(dirname(readme), target)))
    .map((target) => `README.md links to ${target}`);
}

function wrongManifest(
  manifest: PublishedManifest & { readonly private?: boolean; readonly scripts?: object },
  version: string,
): string[] {
  const ours = Object.entries(manifest.dependencies ?? {}).filter(([name]) => name.startsWith('@holdfast/'));
  return [
    ...(manifest.version === version ? [] : [`its version is ${manifest.version}, not ${version}`]),
    ...ours
      .filter(([, range]) => range !== version)
      .map(([name, range]) => `depends on ${name} ${range}, not ${version}`),
    ...(manifest.private === undefined ? [] : ['is private']),
    ...(manifest.scripts === undefined ? [] : ['has scripts']),
    ...(manifest.publishConfig.provenance && manifest.publishConfig.access === 'public' ? [] : ['lacks publishConfig']),
    ...(manifest.license === 'Apache-2.0' ? [] : ['lacks its licence']),
  ];
}
