import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../rig/free-port.ts';
import { lastLines, startProgram } from '../rig/program.ts';
import { makeTemporaryFolder } from '../rig/temporary-folder.ts';
import { waitUntil } from '../rig/wait-until.ts';
import { openDriver } from './load/driver.ts';
import type { MeasureDeps } from './measure-load.ts';
import { cpuSeconds, memoryOf } from './process-usage.ts';
import { bundleOf } from './programs.ts';
import { percentile } from './statistics.ts';

const nodePrograms = { livenessprobe: 'livenessprobe', registrar: 'csi-node-driver-registrar' } as const;
type NodeProgram = keyof typeof nodePrograms;

const restMs = 20_000;
const probes = 100;
const probeEveryMs = 50;

/** The sidecars of every node, each beside a driver of its own: at rest, and asked for the driver's health a hundred times. */
export async function measureNode(deps: Omit<MeasureDeps, 'footing'>): Promise<void> {
  const { args, maker, say, signal } = deps;
  for (const program of ['livenessprobe', 'registrar'] as const) {
    const upstream = args.upstreamNodeFolder && join(args.upstreamNodeFolder, nodePrograms[program]);
    if (maker === 'upstream' && upstream === undefined) {
      say(`${nodePrograms[program]} of Go is left out: --upstream-node names no folder with it`);
      continue;
    }
    if (maker === 'upstream' && !existsSync(upstream ?? ''))
      throw new Error(`there is no ${upstream}; see --upstream-node`);
    say(`${maker}: ${nodePrograms[program]}`);
    const command =
      maker === 'ours'
        ? { file: process.execPath, args: [...args.nodeFlags, bundleOf(program)] }
        : { file: upstream ?? '', args: [] };
    const folder = makeTemporaryFolder('bench-node');
    const driver = await openDriver({ ...args, driver: { kind: 'memory' } }, { folder: folder.path, signal });
    try {
      await measureProgram(program, { command, folder: folder.path, address: driver.address }, deps);
    } finally {
      await driver.stop();
      folder.remove();
    }
  }
}

async function measureProgram(
  name: NodeProgram,
  at: {
    readonly command: { readonly file: string; readonly args: readonly string[] };
    readonly folder: string;
    readonly address: string;
  },
  { maker, record, signal }: Omit<MeasureDeps, 'footing'>,
): Promise<void> {
  const { command, folder, address } = at;
  const section = `${nodePrograms[name]}, on each node`;
  const endpoint = `127.0.0.1:${await freePort()}`;
  const sockets = join(folder, 'registration');
  mkdirSync(sockets);
  const own =
    name === 'registrar'
      ? [`--kubelet-registration-path=${address}`, `--plugin-registration-path=${sockets}`]
      : [`--probe-timeout=3s`];
  const program = await startProgram({
    label: `${name} (${maker})`,
    file: command.file,
    args: [...command.args, `--csi-address=${address}`, `--http-endpoint=${endpoint}`, ...own],
    logFile: join(folder, `${name}.log`),
  });
  const pidOf = (): number => {
    const pid = program.pid();
    if (pid === undefined) throw new Error(`${name} has ended:\n${lastLines(program.log(), 10)}`);
    return pid;
  };
  const ask = async (): Promise<boolean> => {
    const reply = await fetch(`http://${endpoint}/healthz`, { signal });
    await reply.arrayBuffer();
    return reply.ok;
  };
  try {
    await waitUntil({
      what: `${name} of ${maker} to be healthy`,
      look: async () => {
        pidOf();
        return (await ask().catch(() => false)) ? true : undefined;
      },
      timeoutMs: 60_000,
      signal,
    });
    record({ section, name: 'CPU of its start', unit: 's', value: cpuSeconds(pidOf()) });
    await sleep(restMs, undefined, { signal });
    const rest = memoryOf(pidOf());
    const cpuBefore = cpuSeconds(pidOf());
    const latenciesMs: number[] = [];
    for (let probe = 0; probe < probes; probe += 1) {
      const askedMs = performance.now();
      if (!(await ask())) throw new Error(`${name} of ${maker} is not healthy:\n${lastLines(program.log(), 10)}`);
      latenciesMs.push(performance.now() - askedMs);
      await sleep(probeEveryMs, undefined, { signal });
    }
    for (const percent of [50, 99]) {
      record({ section, name: `asked → healthy, p${percent}`, unit: 'ms', value: percentile(latenciesMs, percent) });
    }
    record({ section, name: `CPU of ${probes} checks`, unit: 's', value: cpuSeconds(pidOf()) - cpuBefore });
    record({ section, name: 'at rest: resident', unit: 'KiB', value: rest.residentKiB });
    record({ section, name: 'at rest: anonymous', unit: 'KiB', value: rest.anonymousKiB });
    const after = memoryOf(pidOf());
    record({ section, name: 'after the checks: resident', unit: 'KiB', value: after.residentKiB });
    record({ section, name: 'after the checks: anonymous', unit: 'KiB', value: after.anonymousKiB });
  } finally {
    await program.stop();
  }
}
