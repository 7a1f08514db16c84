import { setTimeout as sleep } from 'node:timers/promises';
import { type Lease, leases } from '@holdfast/kube';
import { bundleOf } from '../rig/bundles.ts';
import type { Program } from '../rig/contract.ts';
import { lastLines, startProgram } from '../rig/program.ts';
import { waitUntil } from '../rig/wait-until.ts';
import { namespace } from './load/objects.ts';
import { prepareFull } from './measure-full.ts';
import type { MeasureDeps } from './measure-load.ts';
import { cpuSeconds, memoryOf } from './process-usage.ts';
import { flagsFor, sidecarNames, startSidecar } from './programs.ts';

/** Both runtimes give memory back some time after they stopped needing it. */
const restMs = 30_000;
const leaseTimeoutMs = 120_000;
const quietMs = 2000;
const idleCpuSeconds = 0.05;
const settleTimeoutMs = 120_000;

const leaderElection = ['--leader-election', `--leader-election-namespace=${namespace}`];

type Deps = Omit<MeasureDeps, 'maker' | 'record'>;
type Turn = Pick<MeasureDeps, 'maker' | 'record'>;

/** Ways to run the three controllers: upstream has one. */
interface Way {
  readonly name: string;
  start(deps: MeasureDeps): Promise<readonly Program[]>;
}

const threeProcesses: Way = {
  name: 'three processes',
  start: (deps) => Promise.all(sidecarNames.map((name) => startOne(name, deps))),
};

const oneProcess: Way = {
  name: 'one process',
  async start({ args, footing }) {
    const { cluster, driver, folder } = footing;
    // Each worker flag by its role's name; the limits of requests are the process's.
    const flags = new Set(sidecarNames.flatMap((name) => flagsFor(name, 'unlimited')));
    const program = await startProgram({
      label: 'holdfast controllers',
      file: process.execPath,
      args: [
        ...args.nodeFlags,
        bundleOf('holdfast', 'holdfast'),
        'controllers',
        `--csi-address=${driver.address}`,
        `--kubeconfig=${cluster.adminKubeconfig}`,
        ...flags,
        ...leaderElection,
      ],
      logFile: `${folder}/controllers.log`,
    });
    return [program];
  },
};

function startOne(name: (typeof sidecarNames)[number], { args, maker, footing }: MeasureDeps): Promise<Program> {
  const { cluster, driver, folder } = footing;
  return startSidecar({
    name,
    maker,
    profile: 'unlimited',
    csiAddress: driver.address,
    kubeconfig: cluster.adminKubeconfig,
    folder,
    nodeFlags: args.nodeFlags,
    profileFolder: undefined,
    extraFlags: leaderElection,
  });
}

/** What a controller pod takes, by how its three programs are run: on an empty cluster, and on one that is full. */
export async function measureOneProcess(turns: readonly Turn[], deps: Deps): Promise<void> {
  const { args } = deps;
  for (const turn of turns) await measureWays('no claims', turn, deps);
  await prepareFull(0, deps);
  const full = `${args.fullClaims.toLocaleString('en')} bound claims, half of them attached`;
  for (const turn of turns) await measureWays(full, turn, deps);
}

async function measureWays(state: string, turn: Turn, deps: Deps): Promise<void> {
  const section = `one controller process or three, ${state}`;
  if (turn.maker === 'ours') {
    for (const way of [oneProcess, threeProcesses]) await measureWay(way, [way.name], section, { ...deps, ...turn });
  } else {
    // Each of ours stands beside the only way there is.
    await measureWay(threeProcesses, [oneProcess.name, threeProcesses.name], section, { ...deps, ...turn });
  }
}

async function measureWay(way: Way, names: readonly string[], section: string, deps: MeasureDeps): Promise<void> {
  const { maker, footing, record, say, signal } = deps;
  const { client } = footing.cluster;
  say(`${maker}: ${way.name}, ${section}`);
  for (const { metadata } of await heldLeases(deps)) await client.delete(leases, { namespace, name: metadata.name });
  const programs = await way.start(deps);
  try {
    await waitUntil({
      what: `the leases of ${way.name} (${maker})`,
      look: async () => {
        for (const program of programs) pidOf(program);
        return (await heldLeases(deps)).length === sidecarNames.length ? true : undefined;
      },
      timeoutMs: leaseTimeoutMs,
      signal,
    });
    await settle(programs, signal);
    const startSeconds = totalCpuSeconds(programs);
    await sleep(restMs, undefined, { signal });
    const read = programs.map((program) => memoryOf(pidOf(program)));
    const total = (of: (one: (typeof read)[number]) => number): number => read.reduce((sum, one) => sum + of(one), 0);
    for (const name of names) {
      record({ section, name: `${name}: anonymous`, unit: 'KiB', value: total((one) => one.anonymousKiB) });
      record({ section, name: `${name}: resident`, unit: 'KiB', value: total((one) => one.residentKiB) });
      record({ section, name: `${name}: CPU of its start`, unit: 's', value: startSeconds });
    }
  } finally {
    await Promise.all(programs.map((program) => program.stop()));
  }
}

/** Leases of the driver's sidecars that somebody holds. */
async function heldLeases({ footing }: Pick<Deps, 'footing'>): Promise<readonly Lease[]> {
  const { items } = await footing.cluster.client.list(leases, { namespace });
  return items.filter(({ spec }) => (spec?.holderIdentity ?? '') !== '');
}

/** Waits until they have next to nothing to do. */
async function settle(programs: readonly Program[], signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + settleTimeoutMs;
  for (;;) {
    const before = totalCpuSeconds(programs);
    await sleep(quietMs, undefined, { signal });
    if (totalCpuSeconds(programs) - before <= idleCpuSeconds || performance.now() > deadlineMs) return;
  }
}

function totalCpuSeconds(programs: readonly Program[]): number {
  return programs.reduce((sum, program) => sum + cpuSeconds(pidOf(program)), 0);
}

function pidOf(program: Program): number {
  const pid = program.pid();
  if (pid !== undefined) return pid;
  throw new Error(`${program.label} has ended; the end of its log:\n${lastLines(program.log(), 20)}`);
}
