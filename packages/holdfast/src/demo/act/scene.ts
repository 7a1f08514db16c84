import type { Cluster } from '../cluster.ts';
import { expectSoon, type Sight } from '../expect.ts';
import type { Kill, Step } from '../options.ts';
import type { Backend, Places } from '../programs.ts';
import type { Report } from '../report.ts';
import type { Supervisor } from '../supervisor.ts';

export interface Stage {
  backend: Backend;
  cluster: Cluster;
  places: Places;
  supervisor: Supervisor;
  report: Report;
  kills: readonly Kill[];
  signal: AbortSignal;
}

/** A stage with one backend's play on it. */
export interface Scene extends Stage {
  claimName: string;
  podName: string;
  /** The name of the volume that the claim is bound to; empty before. */
  volumeName(): string;
  /** One of this backend's files in deploy/examples. */
  file(name: string): string;
  /** Waits for something, then reports the step with the time since the step before it. */
  step<T>(expected: Expectation<T>): Promise<T>;
  /** Ends the programs that `--kill` names for this step, the hard way. */
  strike(at: Step): void;
}

export interface Expectation<T> {
  title: string;
  what: string;
  look: () => Sight<T> | Promise<Sight<T>>;
  detail?: (value: T) => string;
}

/** Long enough for every program to crash and come back more than once on a slow machine. */
const timeoutMs = 60_000;

export function createScene(stage: Stage): Scene {
  const { backend, cluster, report, signal } = stage;
  const claimName = `${backend}-data`;
  let since = performance.now();
  return {
    ...stage,
    claimName,
    podName: `${backend}-writer`,
    volumeName: () => cluster.claim(claimName)?.spec?.volumeName ?? '',
    file: (name) => `${backend}/${name}.yaml`,
    async step({ title, what, look, detail }) {
      report.waiting(`${title}: waiting for ${what}`);
      const value = await expectSoon({ what, look, timeoutMs, signal });
      report.step(title, performance.now() - since, detail?.(value));
      since = performance.now();
      return value;
    },
    strike(at) {
      for (const { program } of stage.kills.filter((kill) => kill.step === at)) {
        const killed = stage.supervisor.kill(program === 'kubelet' ? 'kubelet' : `${backend} ${program}`);
        if (killed) report.note(`kill -9 ${killed.pid} (${killed.label})`);
      }
    },
  };
}
