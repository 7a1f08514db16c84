import { setTimeout as sleep } from 'node:timers/promises';
import type { Maker, SidecarName } from '../rig/contract.ts';
import { countWrites } from './api-writes.ts';
import { type BenchArguments, type Load, type Operation, operations, type Part } from './arguments.ts';
import type { Footing } from './footing.ts';
import { type Goal, runOperation } from './load/operations.ts';
import type { Record } from './measurement.ts';
import { cpuSeconds } from './process-usage.ts';
import { sidecarNames } from './programs.ts';
import { createSidecarGroup, type SidecarGroup } from './sidecar-group.ts';
import { percentile } from './statistics.ts';

export interface MeasureDeps {
  readonly args: BenchArguments;
  readonly maker: Maker;
  readonly footing: Footing;
  readonly record: Record;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Both runtimes give memory back some time after they stopped needing it. */
const restMs = 30_000;

/** The operations that are wanted, and those that they build on, in the order of a volume's life. */
export function operationsFor(parts: ReadonlySet<Part>): readonly Operation[] {
  const wanted = operations.filter((operation) => parts.has(operation));
  const isAttached = wanted.includes('attach') && wanted.includes('delete');
  const needed = new Set<Operation>([
    ...wanted,
    ...(wanted.length > 0 ? ['provision' as const] : []),
    ...(wanted.includes('detach') ? ['attach' as const] : []),
    ...(isAttached ? ['detach' as const] : []),
  ]);
  return operations.filter((operation) => needed.has(operation));
}

export function describeLoad({ objects, profile }: Load): string {
  return `${objects.toLocaleString('en')} objects, ${profile === 'default' ? 'default flags' : 'no client-side limit'}`;
}

/** One load from claim to nothing, on the sidecars of one maker, which are started for it. */
export async function measureLoad(load: Load, deps: MeasureDeps): Promise<void> {
  const { args, maker, footing, record, say, signal } = deps;
  const { cluster, driver, watcher, folder } = footing;
  const group = createSidecarGroup(
    {
      maker,
      profile: load.profile,
      csiAddress: driver.address,
      kubeconfig: cluster.adminKubeconfig,
      folder,
      nodeFlags: args.nodeFlags,
      profileFolder: args.profileFolder,
    },
    { cluster, signal },
  );
  const claims = Array.from({ length: load.objects }, (_, index) => `${load.profile}-${index}`);
  try {
    for (const name of sidecarNames) await group.start(name);
    await group.settle();
    const recordIdle = recordMemory('idle', load, group, record);
    for (const operation of operationsFor(args.parts)) {
      say(`${maker}: ${operation}, ${describeLoad(load)}`);
      await cluster.forgetRequests();
      const cpuBefore = cpuBySidecar(group);
      const driverCpuBefore = driverCpu(footing);
      const goals = await runOperation(operation, claims, {
        client: cluster.client,
        watcher,
        driverName: driver.name,
        sizes: args,
        signal,
      });
      await group.settle();
      if (!args.parts.has(operation)) continue;
      const section = `${operation}, ${describeLoad(load)}`;
      for (const goal of goals) recordGoal(section, goal, record);
      const recordKinds = await recordWrites(section, load.objects, sidecarNames, deps);
      const cpuAfter = cpuBySidecar(group);
      let total = 0;
      for (const name of sidecarNames) {
        const value = (cpuAfter.get(name) ?? 0) - (cpuBefore.get(name) ?? 0);
        total += value;
        record({ section, name: `CPU of csi-${name}`, unit: 's', value });
      }
      record({ section, name: 'CPU of the three', unit: 's', value: total });
      if (driverCpuBefore !== undefined) {
        record({ section, name: 'CPU of the driver', unit: 's', value: (driverCpu(footing) ?? 0) - driverCpuBefore });
      }
      recordKinds();
    }
    recordIdle();
    recordMemory('after the load', load, group, record)();
    if (load.profile === 'unlimited') {
      await sleep(restMs, undefined, { signal });
      recordMemory('half a minute later', load, group, record)();
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}\n${group.logTails()}`, { cause: error });
  } finally {
    await group.stop();
  }
}

function recordGoal(section: string, { name, latenciesMs, totalMs }: Goal, record: Record): void {
  record({ section, name, unit: 'objects/s', value: (latenciesMs.length * 1000) / totalMs });
  for (const percent of [50, 90, 99]) {
    record({ section, name: `${name}, p${percent}`, unit: 'ms', value: percentile(latenciesMs, percent) });
  }
}

/** @returns what records them one kind at a time */
export async function recordWrites(
  section: string,
  objects: number,
  names: readonly SidecarName[],
  { footing, record }: MeasureDeps,
): Promise<() => void> {
  const requests = await footing.cluster.requests();
  const counts = names.map((name) => ({ name, count: countWrites(requests, `csi-${name}`) }));
  const perObject = (name: string, total: number): void =>
    record({ section, name, unit: 'per object', value: total / objects });
  perObject(
    'API writes',
    counts.reduce((sum, { count }) => sum + count.writes, 0),
  );
  perObject(
    'Events written',
    counts.reduce((sum, { count }) => sum + count.events, 0),
  );
  perObject(
    'of both, refused by the server',
    counts.reduce((sum, { count }) => sum + count.failed, 0),
  );
  perObject(
    'Lease writes',
    counts.reduce((sum, { count }) => sum + count.leases, 0),
  );
  return () => {
    for (const { name, count } of counts) {
      for (const [kind, total] of count.byKind) perObject(`csi-${name}: ${kind}`, total);
    }
  };
}

/** Reads it now. @returns what records it */
function recordMemory(when: string, load: Load, group: SidecarGroup, record: Record): () => void {
  const section = `memory, ${describeLoad(load)}`;
  const read = sidecarNames.map((name) => ({ name, ...group.memory(name) }));
  return () => {
    for (const { name, residentKiB, anonymousKiB } of read) {
      record({ section, name: `csi-${name}, ${when}: resident`, unit: 'KiB', value: residentKiB });
      record({ section, name: `csi-${name}, ${when}: anonymous`, unit: 'KiB', value: anonymousKiB });
    }
  };
}

function cpuBySidecar(group: SidecarGroup): ReadonlyMap<string, number> {
  return new Map(sidecarNames.map((name) => [name, group.cpuSeconds(name)]));
}

function driverCpu({ driver }: Footing): number | undefined {
  const pid = driver.program?.pid();
  return pid === undefined ? undefined : cpuSeconds(pid);
}
