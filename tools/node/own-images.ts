import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, '.holdfast', 'images');
const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** As `npm run images` names them. */
export const registry = 'localhost/holdfast';

/** Builds the images from the sources as they are. */
export async function buildImages(signal: AbortSignal): Promise<void> {
  await promisify(execFile)(process.execPath, [join(root, 'tools', 'images', 'main.ts')], {
    signal,
    maxBuffer: 2 ** 26,
  });
}

export function ownArchives(): string[] {
  if (!existsSync(folder)) throw new Error(`${folder} is missing: run npm run images`);
  return readdirSync(folder)
    .filter((name) => name.endsWith(`-${architecture}.tar`) && !name.includes('-nonroot-'))
    .map((name) => join(folder, name));
}
