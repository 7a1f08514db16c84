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

export function tryRun(file: string, args: readonly string[], { cwd, env, signal }: RunOptions): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env: env ?? process.env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, ...output }));
  });
}

/** @throws Error with what the program said, when it fails */
export async function run(file: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  const ran = await tryRun(file, args, options);
  if (ran.code === 0) return ran;
  throw new Error(`${file} ${args.join(' ')}: exit code ${ran.code}\n${ran.stdout}${ran.stderr}`.trimEnd());
}
