// Node for the image: what npm installed beside the sources, or, for another processor, the package that npm has of it.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Architecture, architectures } from './names.ts';

export interface NodePackage {
  readonly version: string;
  /** Has bin/node and LICENSE. */
  readonly folder: string;
}

/**
 * @param folder keeps what is downloaded, so that the next time needs no network
 * @throws Error when npm has no such package, or another than the lockfile names
 */
export function nodePackageOf(deps: { root: string; folder: string; architecture: Architecture }): NodePackage {
  const { root, folder, architecture } = deps;
  const { node: name } = architectures[architecture];
  const { version, integrity } = lockedPackage(root, name);
  const installed = join(root, 'node_modules', name);
  if (existsSync(join(installed, 'bin', 'node'))) return { version, folder: installed };

  const unpacked = join(folder, name);
  mkdirSync(unpacked, { recursive: true });
  const archive = join(folder, `${name}-${version}.tgz`);
  if (!existsSync(archive)) download(`${name}@${version}`, folder);
  const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (digest !== integrity) {
    throw new Error(
      `${archive} is not what package-lock.json names (${digest}, not ${integrity}): delete it and try again`,
    );
  }
  const files = ['package/bin/node', 'package/LICENSE'];
  execFileSync('tar', ['--extract', '--gzip', `--file=${archive}`, '--strip-components=1', '-C', unpacked, ...files]);
  return { version, folder: unpacked };
}

function lockedPackage(root: string, name: string): { version: string; integrity: string } {
  const lock: { packages: Record<string, { version: string; integrity: string }> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  );
  const found = lock.packages[`node_modules/${name}`];
  if (found === undefined) throw new Error(`package-lock.json has no ${name}`);
  return found;
}

function download(what: string, folder: string): void {
  try {
    execFileSync('npm', ['pack', '--silent', `--pack-destination=${folder}`, what], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim() : String(error);
    throw new Error(`npm gave no ${what}, which is Node for the image: ${reason}`, { cause: error });
  }
}
