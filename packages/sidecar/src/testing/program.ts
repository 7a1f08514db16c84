import { type ChildProcess, spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';

export interface RunningProgram {
  /** Resolves when the process has ended and its output is complete; 128 + n for a signal, as a shell says. */
  readonly exitCode: Promise<number>;
  stdout(): string;
  stderr(): string;
  /** Resolves with the first match in standard error; rejects when the process ends without it. */
  logged(pattern: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
}

const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Runs `node <file> <args>` as a process of its own. */
export function spawnProgram(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningProgram {
  return watch(spawn(process.execPath, [file, ...args], { env: { ...process.env, ...env }, stdio: 'pipe' }));
}

/** Runs a text as an ES module in a process of its own. */
export function runScript(source: string, env: NodeJS.ProcessEnv = {}): RunningProgram {
  const args = ['--input-type=module-typescript', '--eval', source];
  return watch(spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: 'pipe' }));
}

/** Runs the `main` that a module exports, as its program does, with options that no flag has. */
export function runMain(
  file: string,
  argv: readonly string[],
  options: object,
  env: NodeJS.ProcessEnv = {},
): RunningProgram {
  const [url, args, more] = [pathToFileURL(file).href, argv, options].map((value) => JSON.stringify(value));
  return runScript(`import { main } from ${url}; process.exit(await main(${args}, ${more}));`, env);
}

function watch(child: ChildProcess): RunningProgram {
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const listener of listeners) listener();
  });
  const exitCode = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + ((signal && SIGNAL_NUMBERS[signal]) ?? 0)));
  });

  return {
    exitCode,
    stdout: () => stdout,
    stderr: () => stderr,
    logged: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(stderr);
          if (match === null) return;
          listeners.delete(look);
          resolve(match);
        };
        listeners.add(look);
        look();
        const onExit = (): void => reject(new Error(`exited without ${pattern}:\n${stderr}`));
        exitCode.then(onExit, onExit);
      }),
    kill: (signal) => void child.kill(signal),
  };
}
