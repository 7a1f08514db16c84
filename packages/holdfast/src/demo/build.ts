import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { findInstallation } from '../installation.ts';
import type { Report } from './report.ts';

/** Bundles every program; Nx skips those whose sources have not changed. The published package brings them. */
export async function buildPrograms(report: Report, signal: AbortSignal): Promise<void> {
  const { kind, root } = findInstallation();
  if (kind === 'package') return;
  const started = performance.now();
  report.waiting('building the programs');
  const output: string[] = [];
  const code = await new Promise<number>((resolve, reject) => {
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
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    child.on('error', reject);
    child.on('exit', (exitCode) => resolve(exitCode ?? 1));
  });
  if (code !== 0)
    throw new Error(`the programs could not be built; run \`npm run build\` to see why:\n${output.join('')}`);
  report.step('programs are built', performance.now() - started);
}
