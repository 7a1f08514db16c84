import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Ends when the program has, also after an abort: what it writes to must not be removed under it. */
export function tryRun(file: string, args: readonly string[], { cwd, env, signal }: RunOptions): Promise<Ran> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // A group of its own: npm runs what it is asked to below a shell, and a signal to the shell alone would not end it.
    const options = { cwd, env: env ?? process.env, detached: true } as const;
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const stop = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      } catch {
        // It has ended by itself.
      }
    };
    signal.addEventListener('abort', stop, { once: true });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      signal.removeEventListener('abort', stop);
      if (signal.aborted) reject(signal.reason);
      else resolve({ code: code ?? 1, ...output });
    });
  });
}

/** @throws Error with what the program said, when it fails */
export async function run(file: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  const ran = await tryRun(file, args, options);
  if (ran.code === 0) return ran;
  throw new Error(`${file} ${args.join(' ')}: exit code ${ran.code}\n${ran.stdout}${ran.stderr}`.trimEnd());
}
