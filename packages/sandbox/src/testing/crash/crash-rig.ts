import type { ProgramSurroundings } from '@holdfast/sidecar';
import {
  type CallHook,
  type ScriptedDriver,
  type ScriptedDriverOptions,
  startScriptedDriver,
} from '../scripted-driver.ts';
import { startTestCluster, type TestCluster } from '../test-cluster.ts';
import { type CallGate, createCallGate } from './call-gate.ts';
import { createHistory, type History } from './history.ts';

/** The program that is killed. */
export interface CrashSubject {
  /** As in its user agent. */
  readonly name: string;
  readonly main: (argv: readonly string[], options: { readonly program: ProgramSurroundings }) => Promise<number>;
  /** Beside `--kubeconfig` and `--csi-address`. */
  readonly flags: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly driver?: ScriptedDriverOptions;
  /** What the driver does otherwise than the scripted one by itself, made anew for each rig. */
  readonly behaviour?: (driver: ScriptedDriver) => CallHook;
  /** Whether the loops of the cluster run. Default: they do. */
  readonly hasLoops?: boolean;
}

/**
 * The program at work, in this process and not in one of its own: what a killed process leaves is what it has sent, and the
 * gate lets nothing of a killed one through; what it remembered dies with its `main`, for no module keeps anything.
 */
export interface SubjectRun {
  readonly exitCode: Promise<number>;
  log(): string;
  /** As SIGTERM. After the gate has closed it is all that is left of a SIGKILL. */
  end(): void;
}

export interface CrashRig {
  readonly cluster: TestCluster;
  readonly driver: ScriptedDriver;
  readonly gate: CallGate;
  readonly history: History;
  start(hostname?: string): SubjectRun;
  stop(): Promise<void>;
}

export const FIRST_HOST = 'host-1';

/** A cluster, a driver, and the program between them, everything of which is seen and can be cut. */
export async function startCrashRig(subject: CrashSubject): Promise<CrashRig> {
  const cluster = await startTestCluster({ loops: subject.hasLoops ?? true });
  const driver = await startScriptedDriver(subject.driver);
  const runs: SubjectRun[] = [];
  if (subject.behaviour) driver.around(subject.behaviour(driver));
  // The history is inside the gate: a call that never came is not seen.
  const history = createHistory({ cluster, driver });
  const gate = createCallGate({ cluster, driver, userAgentPrefix: `${subject.name}/` });
  return {
    cluster,
    driver,
    gate,
    history,
    start(hostname = FIRST_HOST) {
      const argv = [`--kubeconfig=${cluster.kubeconfigPath}`, `--csi-address=${driver.socketPath}`, ...subject.flags];
      const run = startSubject(subject, argv, hostname);
      runs.push(run);
      return run;
    },
    async stop() {
      for (const run of runs) run.end();
      await Promise.all(runs.map(({ exitCode }) => exitCode));
      await driver.stop();
      await cluster.stop();
    },
  };
}

function startSubject({ main, env = {} }: CrashSubject, argv: readonly string[], hostname: string): SubjectRun {
  const ending = new AbortController();
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const program = { env, hostname, stdout: destination, stderr: destination, signal: ending.signal };
  return {
    exitCode: main(argv, { program }),
    log: () => lines.join(''),
    end: () => ending.abort(new Error('the program is to end')),
  };
}
