import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const sources = join(import.meta.dirname, '..', '..', 'packages', 'driver', 'src');
const entries = { driver: join(sources, 'bin.ts'), sample: join(sources, 'sample', 'sample-driver.ts') } as const;

export interface RunningDriver {
  log(): string;
  /** SIGTERM, and SIGKILL for a driver that is still there 30 s later. @returns the exit code, null where a signal ended it */
  stop(): Promise<number | null>;
}

/**
 * Runs the driver program, as it would run in a pod, and waits until it serves. It has a process group of its own: Ctrl-C must
 * not end it before csi-sanity has taken its volumes down.
 * @throws Error with what the driver said, if it ends instead
 */
export async function startDriver(
  program: keyof typeof entries,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<RunningDriver> {
  const child = spawn(process.execPath, [entries[program], ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const exited = exitOf(child);
  const serving = Promise.withResolvers<void>();
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      if (log.includes('"Serving"')) serving.resolve();
    });
  }
  const isServing = await Promise.race([serving.promise.then(() => true), exited.then(() => false)]);
  if (!isServing) throw new Error(`the driver did not start:\n${log.trimEnd()}`);
  return {
    log: () => log,
    stop: async () => {
      child.kill('SIGTERM');
      const impatience = setTimeout(() => child.kill('SIGKILL'), 30_000);
      const code = await exited;
      clearTimeout(impatience);
      return code;
    },
  };
}

export function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
}
