import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Program } from './contract.ts';
import { asLastResort } from './last-resort.ts';

export interface ProgramSpec {
  readonly label: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly logFile: string;
  /** A host name of its own, which Go's os.Hostname and Node's os.hostname tell; a lease names its holder by it. */
  readonly hostName?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const graceMs = 60_000;

/**
 * Starts a program. It ends with this process, whatever ends that, and not with Ctrl-C in this process's terminal: it is for this
 * process to end its programs in order.
 * @throws Error when it cannot be started
 */
export async function startProgram(spec: ProgramSpec): Promise<Program> {
  const { label, logFile } = spec;
  mkdirSync(dirname(logFile), { recursive: true });
  let running = await launch(spec);
  const isRunning = (): boolean => running.child.exitCode === null && running.child.signalCode === null;
  return {
    label,
    pid: () => (isRunning() ? running.child.pid : undefined),
    isRunning,
    async start() {
      if (isRunning()) throw new Error(`${label} is running already; stop or kill it first`);
      await running.exited;
      running = await launch(spec);
    },
    async stop() {
      const { child, exited } = running;
      if (!isRunning()) return exited;
      child.kill('SIGTERM');
      // A program held by SIGSTOP would not hear the other signal.
      child.kill('SIGCONT');
      const impatience = setTimeout(() => child.kill('SIGKILL'), graceMs);
      try {
        return await exited;
      } finally {
        clearTimeout(impatience);
      }
    },
    async kill() {
      running.child.kill('SIGKILL');
      await running.exited;
    },
    signal: (name) => void running.child.kill(name),
    exited: () => running.exited,
    log: () => readLog(logFile),
    logOfThisRun: () => readLog(logFile, running.logStartBytes),
  };
}

interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  /** Where its part of the log begins. */
  readonly logStartBytes: number;
}

async function launch(spec: ProgramSpec): Promise<Running> {
  const [file, ...args] = commandLine(spec);
  const log = openSync(spec.logFile, 'a', 0o600);
  const logStartBytes = fstatSync(log).size;
  const { KUBECONFIG: _kubeconfig, NODE_OPTIONS: _options, ...env } = process.env;
  const child = spawn(file, args, {
    stdio: ['ignore', log, log],
    detached: true,
    env: { ...env, ...spec.env },
  });
  closeSync(log);
  const forget = asLastResort(() => void child.kill('SIGKILL'));
  const exited = new Promise<number | null>((resolve) => {
    child.on('exit', (code) => {
      forget();
      resolve(code);
    });
  });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.on('error', reject);
    });
  } catch (error) {
    forget();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${spec.label} could not be started (${reason}); setpriv and unshare come with util-linux`, {
      cause: error,
    });
  }
  return { child, exited, logStartBytes };
}

/** Each step executes the next in its own place, so that the child's process id is the program's. */
export function commandLine({
  file,
  args,
  hostName,
}: Pick<ProgramSpec, 'file' | 'args' | 'hostName'>): [string, ...string[]] {
  const named = hostName === undefined ? [] : ['unshare', '--uts', 'sh', '-c', 'hostname "$0" && exec "$@"', hostName];
  return ['setpriv', '--pdeathsig', 'KILL', ...named, file, ...args];
}

function readLog(file: string, fromByte = 0): string {
  try {
    return readFileSync(file).toString('utf8', fromByte);
  } catch {
    return '';
  }
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
