import { type ChildProcess, spawn } from 'node:child_process';

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

/** Runs a text as an ES module, for a program's `main` with options that no flag has. */
export function runScript(source: string): RunningProgram {
  return watch(spawn(process.execPath, ['--input-type=module-typescript', '--eval', source], { stdio: 'pipe' }));
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
