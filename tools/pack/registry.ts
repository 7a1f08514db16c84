// A registry on loopback that has our packed files and, of the dependencies, what is installed here. So what is installed from it
// is resolved by name and version, as a user's npm does it, and nothing is asked of the network.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { errorMessage } from '@holdfast/core';
import type { Tarball } from './pack.ts';
import { run } from './run.ts';

export interface Registry {
  readonly url: string;
  close(): void;
}

export interface RegistryDeps {
  readonly root: string;
  /** An existing folder for its files. */
  readonly store: string;
  readonly signal: AbortSignal;
}

interface Version {
  readonly manifest: { readonly name: string; readonly version: string };
  /** The path of its file. */
  tarball(): Promise<string>;
}

export async function serveRegistry(tarballs: readonly Tarball[], deps: RegistryDeps): Promise<Registry> {
  const versions = [
    ...installedVersions(deps),
    ...(await Promise.all(tarballs.map((each) => packedVersion(each, deps.signal)))),
  ];
  let url = '';
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '/').slice(1);
    const [name = '', version] = path.split('/-/');
    const known = versions.filter(({ manifest }) => manifest.name === name);
    if (known.length === 0) response.writeHead(404).end('{}');
    else if (version === undefined) response.end(JSON.stringify(document(known, url)));
    else
      void send(
        known.find(({ manifest }) => `${manifest.version}.tgz` === version),
        response,
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`;
  return {
    url,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function send(version: Version | undefined, response: ServerResponse): Promise<void> {
  try {
    if (version === undefined) throw new Error('no such version');
    response.end(await readFile(await version.tarball()));
  } catch (error) {
    response.writeHead(404).end(errorMessage(error));
  }
}

function document(versions: readonly Version[], url: string): unknown {
  const all = versions.map(({ manifest }) => [
    manifest.version,
    { ...manifest, dist: { tarball: `${url}${manifest.name}/-/${manifest.version}.tgz` } },
  ]);
  const [name, latest] = [versions[0]?.manifest.name, versions.at(-1)?.manifest.version];
  return { name, 'dist-tags': { latest }, versions: Object.fromEntries(all) };
}

async function packedVersion({ path }: Tarball, signal: AbortSignal): Promise<Version> {
  const { stdout } = await run('tar', ['-xzOf', path, 'package/package.json'], { cwd: '/', signal });
  return { manifest: JSON.parse(stdout), tarball: async () => path };
}

function installedVersions({ root, store, signal }: RegistryDeps): Version[] {
  const lock: { packages: Record<string, { link?: boolean }> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  );
  return Object.entries(lock.packages)
    .filter(([path, { link }]) => path.includes('node_modules/') && link !== true)
    .map(([path]) => join(root, path))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => ({
      manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')),
      tarball: async () => {
        const file = join(store, `${createHash('sha256').update(folder).digest('hex')}.tgz`);
        await packFolder(folder, file, signal);
        return file;
      },
    }));
}

/** Made when it is asked for: most of what is installed here, a user of the packages does not need. */
async function packFolder(folder: string, file: string, signal: AbortSignal): Promise<void> {
  const args = ['--exclude=./node_modules', '--transform=s,^[.],package,', '-C', folder, '.'];
  if (!existsSync(file))
    await run('tar', ['--use-compress-program=gzip -1', '-cf', file, ...args], { cwd: '/', signal });
}
