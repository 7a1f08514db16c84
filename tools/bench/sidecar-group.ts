import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Program, SidecarName } from '../rig/contract.ts';
import { lastLines } from '../rig/program.ts';
import { countWrites } from './api-writes.ts';
import { cpuSeconds, type Memory, memoryOf } from './process-usage.ts';
import { type SidecarSpec, sidecarNames, startSidecar } from './programs.ts';

/** The sidecars of one maker beside one driver, while they are measured. */
export interface SidecarGroup {
  readonly programs: ReadonlyMap<SidecarName, Program>;
  start(name: SidecarName): Promise<Program>;
  /** @throws Error with the end of its log, when one has ended */
  cpuSeconds(name: SidecarName): number;
  memory(name: SidecarName): Memory;
  /** Waits until none of them writes to the API any more, and none is at work. */
  settle(): Promise<void>;
  logTails(): string;
  stop(): Promise<void>;
}

/** Under the default flags of the Go ones, what waits for the limit comes five times a second. */
const quietMs = 2000;
const settleTimeoutMs = 60_000;
/** Timers and renewals: at most so much in a quiet time is not work. */
const idleCpuSeconds = 0.05;

export function createSidecarGroup(
  spec: Omit<SidecarSpec, 'name'>,
  { cluster, signal }: { readonly cluster: Cluster; readonly signal: AbortSignal },
): SidecarGroup {
  const programs = new Map<SidecarName, Program>();

  function pidOf(name: SidecarName): number {
    const program = programs.get(name);
    const pid = program?.pid();
    if (pid !== undefined) return pid;
    throw new Error(`csi-${name} has ended; the end of its log:\n${lastLines(program?.log() ?? '', 20)}`);
  }

  const totalCpuSeconds = (): number => [...programs.keys()].reduce((sum, name) => sum + cpuSeconds(pidOf(name)), 0);

  async function totalWrites(): Promise<number> {
    const requests = await cluster.requests();
    const counts = sidecarNames.map((name) => countWrites(requests, `csi-${name}`));
    return counts.reduce((sum, { writes, events }) => sum + writes + events, 0);
  }

  return {
    programs,
    async start(name) {
      const program = await startSidecar({ ...spec, name });
      programs.set(name, program);
      return program;
    },
    cpuSeconds: (name) => cpuSeconds(pidOf(name)),
    memory: (name) => memoryOf(pidOf(name)),
    async settle() {
      const deadlineMs = performance.now() + settleTimeoutMs;
      for (;;) {
        const before = { writes: await totalWrites(), cpu: totalCpuSeconds() };
        await sleep(quietMs, undefined, { signal });
        // A profiler is always at work.
        const isIdle = spec.profileFolder !== undefined || totalCpuSeconds() - before.cpu <= idleCpuSeconds;
        const isQuiet = (await totalWrites()) === before.writes;
        if ((isIdle && isQuiet) || performance.now() > deadlineMs) return;
      }
    },
    logTails: () =>
      [...programs.values()]
        .map((program) => `the end of the log of ${program.label}:\n${lastLines(program.log(), 10)}`)
        .join('\n'),
    async stop() {
      await Promise.all([...programs.values()].map((program) => program.stop()));
      programs.clear();
    },
  };
}
