import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** @throws Error when the program has not been built */
export function bundleOf(packageName: string, program: string): string {
  const path = join(root, 'packages', packageName, 'dist', `${program}.mjs`);
  if (!existsSync(path)) throw new Error(`${program} is not built; run \`npm run build\``);
  return path;
}

/**
 * Bundles every program; Nx skips those whose sources have not changed.
 * @throws Error with what the build said
 */
export async function buildBundles(signal: AbortSignal): Promise<void> {
  const child = spawn(
    join(root, 'node_modules', '.bin', 'nx'),
    ['run-many', '-t', 'build', '--parallel=2', '--outputStyle=static'],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false' },
      signal,
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`the programs could not be built:\n${output.trimEnd()}`);
}
