import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** Bundles a package's program as it is shipped. @returns the file */
export async function bundle(name: string): Promise<string> {
  const folder = join(root, 'packages', name);
  const child = spawn(process.execPath, [join(root, 'tools', 'build.ts')], { cwd: folder, stdio: ['ignore', 2, 2] });
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${name} cannot be bundled; its own message is above`);
  const manifest: { holdfast: { program: string } } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, 'dist', `${manifest.holdfast.program}.mjs`);
}
