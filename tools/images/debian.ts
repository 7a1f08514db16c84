// Debian's packages, unpacked; of them only the files that are asked for go into an image.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Architecture } from './names.ts';

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  /** Where it is unpacked. */
  readonly root: string;
}

/**
 * What lets apt speak of packages for another processor: lists of its own beside the machine's sources and settings. The machine's
 * dpkg is not told of that processor, which would change what it installs.
 */
function foreignApt(folder: string, architecture: Architecture): string[] {
  const own = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
  if (own === architecture) return [];
  const state = join(folder, 'apt');
  for (const part of ['lists/partial', 'archives/partial']) mkdirSync(join(state, part), { recursive: true });
  const status = join(state, 'status');
  writeFileSync(status, '');
  return [
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    `Dir::State=${state}`,
    `Dir::State::status=${status}`,
    `Dir::Cache=${state}`,
    'Acquire::Languages=none',
  ].flatMap((option) => ['-o', option]);
}

/**
 * Downloads and unpacks packages with the machine's own apt, so from where it gets its packages.
 * @throws Error when one cannot be had
 */
export function unpackPackages(
  names: readonly string[],
  { folder, architecture }: { folder: string; architecture: Architecture },
): DebianPackage[] {
  const downloads = join(folder, 'debs');
  mkdirSync(downloads, { recursive: true });
  const run = (file: string, args: readonly string[]): string =>
    execFileSync(file, args, { cwd: downloads, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const present = () => readdirSync(downloads);
  const isHere = (name: string) => present().some((file) => file.startsWith(`${name}_`));
  const missing = names.filter((name) => !isHere(name));
  if (missing.length > 0) {
    const options = foreignApt(folder, architecture);
    // Sources that have nothing for that processor are warned of, and apt goes on.
    if (options.length > 0) run('apt-get', ['update', '-q', ...options]);
    run('apt-get', ['download', '-q', ...options, ...missing.map((name) => `${name}:${architecture}`)]);
  }
  return names.map((name) => {
    const file = present().find((each) => each.startsWith(`${name}_`));
    if (file === undefined) throw new Error(`apt-get downloaded no ${name}: run apt-get update, then try again`);
    const root = join(folder, 'packages', name);
    if (!existsSync(root)) {
      mkdirSync(root, { recursive: true });
      run('dpkg-deb', ['-x', file, root]);
    }
    return { name, root, version: run('dpkg-deb', ['-f', file, 'Version']).trim() };
  });
}

/** Finds a file by its name where Debian puts programs and libraries. */
function findFile(packages: readonly DebianPackage[], name: string, triplet: string): string | undefined {
  const places = ['bin', 'sbin', 'usr/bin', 'usr/sbin', `lib/${triplet}`, `usr/lib/${triplet}`];
  for (const { root } of packages) {
    for (const place of places) {
      const file = join(root, place, name);
      if (existsSync(file)) return realpathSync(file);
    }
  }
  return undefined;
}

/** The libraries an ELF file names. */
function neededBy(file: string): string[] {
  const listed = execFileSync('readelf', ['--dynamic', '--wide', file], { encoding: 'utf8' });
  return [...listed.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name = '']) => name);
}

export function copyInto(source: string, root: string, path: string): void {
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(source, target);
}

/**
 * Copies programs into `<root>/usr/bin` and what they are linked to into the folder of libraries.
 * @param programs where from, by the name they get
 * @param isThere libraries that a lower layer has
 * @returns the libraries, by their names
 */
export function copyPrograms(deps: {
  programs: Readonly<Record<string, string>>;
  packages: readonly DebianPackage[];
  triplet: string;
  root: string;
  isThere: ReadonlySet<string>;
}): Set<string> {
  const { programs, packages, triplet, root, isThere } = deps;
  const copied = new Set<string>();
  const queue = Object.entries(programs).flatMap(([name, source]) => {
    copyInto(source, root, `usr/bin/${name}`);
    return neededBy(source);
  });
  for (let library = queue.pop(); library !== undefined; library = queue.pop()) {
    if (copied.has(library) || isThere.has(library) || library.startsWith('ld-linux')) continue;
    const source = findFile(packages, library, triplet);
    if (source === undefined) throw new Error(`no package has ${library}: add it in tools/images/driver-tools.ts`);
    copyInto(source, root, `usr/lib/${triplet}/${library}`);
    copied.add(library);
    queue.push(...neededBy(source));
  }
  return copied;
}

/** @throws Error when the package has no such program */
export function programIn(packages: readonly DebianPackage[], from: string, name: string, triplet: string): string {
  const found = findFile(
    packages.filter((each) => each.name === from),
    name,
    triplet,
  );
  if (found === undefined) throw new Error(`Debian's ${from} has no ${name}`);
  return found;
}
