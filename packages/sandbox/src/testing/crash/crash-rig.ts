import { type RunningProgram, spawnProgram } from '@holdfast/sidecar/testing';
import { type ScriptedDriver, type ScriptedDriverOptions, startScriptedDriver } from '../scripted-driver.ts';
import { startTestCluster, type TestCluster } from '../test-cluster.ts';
import { type CallGate, createCallGate } from './call-gate.ts';
import { createHistory, type History } from './history.ts';

/** The program that is killed: a process of its own, as it is shipped. */
export interface CrashSubject {
  /** As in its user agent. */
  readonly name: string;
  readonly file: string;
  /** Beside `--kubeconfig` and `--csi-address`. */
  readonly flags: readonly string[];
  readonly driver?: ScriptedDriverOptions;
}

export interface CrashRig {
  readonly cluster: TestCluster;
  readonly driver: ScriptedDriver;
  readonly gate: CallGate;
  readonly history: History;
  start(): RunningProgram;
  stop(): Promise<void>;
}

/** A cluster with its loops, a driver, and the program between them, everything of which is seen and can be cut. */
export async function startCrashRig(subject: CrashSubject): Promise<CrashRig> {
  const cluster = await startTestCluster({ loops: true });
  const driver = await startScriptedDriver(subject.driver);
  const programs: RunningProgram[] = [];
  // The history is inside the gate: a call that never came is not seen.
  const history = createHistory({ cluster, driver });
  const gate = createCallGate({ cluster, driver, userAgentPrefix: `${subject.name}/` });
  return {
    cluster,
    driver,
    gate,
    history,
    start() {
      const argv = [`--kubeconfig=${cluster.kubeconfigPath}`, `--csi-address=${driver.socketPath}`, ...subject.flags];
      const program = spawnProgram(subject.file, argv, { KUBECONFIG: '', POD_NAMESPACE: '' });
      programs.push(program);
      return program;
    },
    async stop() {
      for (const program of programs) program.kill('SIGKILL');
      await Promise.all(programs.map(({ exitCode }) => exitCode));
      await driver.stop();
      await cluster.stop();
    },
  };
}
