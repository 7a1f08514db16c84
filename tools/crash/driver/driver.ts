import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findFooting, namespaceArgs } from '../../sanity/footing.ts';

export interface DriverSweepReport {
  readonly points: number;
  readonly violations: number;
}

/**
 * Kills the driver at every step of its own that reaches the disk or the kernel, in a mount namespace that goes with it. Without root, `dir`
 * alone.
 * @throws Error where this machine does not let it, or where it was cut short
 */
export async function sweepDriver(options: {
  /** The driver's bundle. */
  readonly file: string;
  /** Part of the names of acts to play; all when not given. */
  readonly only: string | undefined;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}): Promise<DriverSweepReport> {
  const { file, only = '', say, signal } = options;
  const footing = findFooting();
  if (footing.kind === 'impossible') throw new Error(footing.reason);
  if (footing.kind === 'user')
    say('not root: only dir is swept, in a user namespace; run this as root for disk (loop devices)');
  const inside = [process.execPath, join(import.meta.dirname, 'inside.ts'), file, footing.kind, only];
  // A group of its own: Ctrl-C must not reach it twice, nor before its drivers.
  const child = spawn('unshare', [...namespaceArgs(footing.kind), ...inside], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  let last = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (last !== '') say(last);
    last = line;
  });
  const [code] = await once(child, 'close');
  signal.removeEventListener('abort', stop);
  const counts = /^points (\d+), violations (\d+)$/.exec(last);
  if (code !== 0 || counts === null) throw new Error(`the sweep of the driver ended with exit code ${code}: ${last}`);
  return { points: Number(counts[1]), violations: Number(counts[2]) };
}
