import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ProgramSpec {
  name: string;
  /** Tells two instances of one program apart; the name when absent. */
  label?: string;
  file: string;
  args: readonly string[];
  /** Started again when it ends, as kubelet starts a container again. */
  isRestarted: boolean;
}

export interface RunningProgram {
  spec: ProgramSpec;
  label: string;
  pid: number;
  restarts: number;
}

export interface Supervisor {
  start(spec: ProgramSpec): void;
  running(): readonly RunningProgram[];
  /** kill -9, and nothing else: coming back is the restart policy's job. */
  kill(label: string): RunningProgram | undefined;
  /** SIGTERM, then SIGKILL after `graceMs`. Resolves when every process has ended. */
  stopAll(graceMs: number): Promise<void>;
  logTail(label: string, lines: number): string;
}

interface Slot {
  program: RunningProgram;
  child: ChildProcess;
}

/** A crashing program must not spin, yet the demo must not wait for it: kubelet's 10 s first step would be all one sees. */
const restartDelayMs = 300;

export function createSupervisor(deps: {
  logFolder: string;
  /** A program that is not restarted ended, or one could not be started. */
  onFailure: (label: string, reason: string) => void;
}): Supervisor {
  const slots = new Map<string, Slot>();
  let isStopping = false;

  const logFile = (label: string): string => join(deps.logFolder, `${label.replaceAll(' ', '-')}.log`);

  function launch(spec: ProgramSpec, restarts: number): void {
    const label = spec.label ?? spec.name;
    const log = openSync(logFile(label), 'a');
    const { KUBECONFIG: _ignored, ...env } = process.env;
    const child = spawn(process.execPath, [spec.file, ...spec.args], {
      stdio: ['ignore', log, log],
      // Out of the terminal's group: Ctrl-C reaches the demo, which then ends its programs in order.
      detached: true,
      env: { ...env, NODE_COMPILE_CACHE: join(deps.logFolder, 'compile-cache') },
    });
    closeSync(log);
    child.on('error', (error) => deps.onFailure(label, error.message));
    child.on('exit', (code, signal) => {
      if (isStopping) return;
      if (!spec.isRestarted) {
        deps.onFailure(label, `it ended with ${signal ?? `exit code ${code}`}`);
        return;
      }
      setTimeout(() => {
        if (!isStopping) launch(spec, restarts + 1);
      }, restartDelayMs);
    });
    slots.set(label, { child, program: { spec, label, pid: child.pid ?? 0, restarts } });
  }

  async function stop(slot: Slot, graceMs: number): Promise<void> {
    if (slot.child.exitCode !== null || slot.child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => slot.child.once('exit', () => resolve()));
    slot.child.kill('SIGTERM');
    const timer = setTimeout(() => slot.child.kill('SIGKILL'), graceMs);
    await ended;
    clearTimeout(timer);
  }

  return {
    start: (spec) => launch(spec, 0),
    running: () => [...slots.values()].map((slot) => slot.program),
    kill(label) {
      const slot = slots.get(label);
      slot?.child.kill('SIGKILL');
      return slot?.program;
    },
    async stopAll(graceMs) {
      isStopping = true;
      // The API server goes last, since the others say good-bye to it.
      const [last, first] = [
        [...slots.values()].filter(isKeptToTheEnd),
        [...slots.values()].filter((s) => !isKeptToTheEnd(s)),
      ];
      await Promise.all(first.map((slot) => stop(slot, graceMs)));
      await Promise.all(last.map((slot) => stop(slot, graceMs)));
    },
    logTail(label, lines) {
      try {
        return readFileSync(logFile(label), 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
      } catch {
        return '';
      }
    },
  };
}

function isKeptToTheEnd(slot: Slot): boolean {
  return !slot.program.spec.isRestarted;
}
