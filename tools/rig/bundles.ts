import { spawn } from 'node:child_process';
import { cpSync, existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeTemporaryFolder } from './temporary-folder.ts';

const root = join(import.meta.dirname, '..', '..');

/** Names the folder with this run's own copies, for the processes that this one starts. */
const folderVariable = 'HOLDFAST_RIG_BUNDLES';

/** @throws Error when the program has not been built */
export function bundleOf(packageName: string, program: string): string {
  const packages = process.env[folderVariable] ?? join(root, 'packages');
  const path = join(packages, packageName, 'dist', `${program}.mjs`);
  if (!existsSync(path)) throw new Error(`${program} is not built; run \`npm run build\``);
  return path;
}

/** Another build at the same time may take away what this one has made. */
const tries = 5;

/**
 * Bundles every program (Nx skips those whose sources have not changed) and copies them for this run: a build that somebody else starts
 * meanwhile would take them away under the feet of programs that load a part of theirs later.
 * @throws Error with what the build said
 */
export async function buildBundles(signal: AbortSignal): Promise<void> {
  // A process above this one has made them.
  if (process.env[folderVariable] !== undefined) return;
  const copies = makeTemporaryFolder('bundles').path;
  let missing: readonly string[] = [];
  for (let left = tries; left > 0; left -= 1) {
    await build(signal);
    try {
      copyTo(copies);
      missing = missingIn(copies);
    } catch (error) {
      missing = [error instanceof Error ? error.message : String(error)];
    }
    if (missing.length === 0) {
      process.env[folderVariable] = copies;
      return;
    }
  }
  throw new Error(`the programs were built and are not whole (${missing.join(', ')}); is another build under way?`);
}

async function build(signal: AbortSignal): Promise<void> {
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

function copyTo(copies: string): void {
  for (const from of globSync('packages/*/dist', { cwd: root })) {
    const to = join(copies, from.slice('packages/'.length));
    cpSync(join(root, from), to, { recursive: true, filter: (file) => !file.endsWith('.map') });
  }
}

/** Programs that are not there, and parts that a program loads and that are not there. */
function missingIn(copies: string): string[] {
  const programs = globSync('packages/*/package.json', { cwd: root }).flatMap((file) => {
    const { holdfast }: { holdfast?: { program?: string } } = JSON.parse(readFileSync(join(root, file), 'utf8'));
    const packageName = dirname(file).slice('packages/'.length);
    return holdfast?.program === undefined ? [] : [join(packageName, 'dist', `${holdfast.program}.mjs`)];
  });
  const parts = globSync('*/dist/**/*.mjs', { cwd: copies }).flatMap((file) =>
    [...readFileSync(join(copies, file), 'utf8').matchAll(/(?:from|import\(?)\s*"(\.[^"]+\.mjs)"/g)].map(([, part]) =>
      join(dirname(file), part ?? ''),
    ),
  );
  return [...new Set([...programs, ...parts])].filter((file) => !existsSync(join(copies, file)));
}
