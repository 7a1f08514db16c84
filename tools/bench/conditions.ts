import { execFileSync } from 'node:child_process';
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { version } from '@holdfast/sidecar';
import { referenceModules } from '../reference/versions.ts';
import type { BenchArguments } from './arguments.ts';

/** What the figures were taken under. */
export interface Conditions {
  readonly date: string;
  readonly commit: string;
  readonly cores: number;
  readonly processor: string;
  readonly memoryMiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly holdfast: string;
  /** Version by module. */
  readonly upstream: Readonly<Record<string, string>>;
  readonly runs: number;
  readonly driver: string;
  /** Of our sidecars. */
  readonly nodeFlags: readonly string[];
}

const measuredPrograms = ['etcd', 'kube-apiserver', 'csi-provisioner', 'csi-attacher', 'csi-resizer'];

export function conditionsOf(args: BenchArguments): Conditions {
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    cores: availableParallelism(),
    processor: `${cpus().at(0)?.model.trim() ?? 'unknown'}, ${arch()}`,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    node: process.versions.node,
    holdfast: version,
    upstream: Object.fromEntries(
      referenceModules
        .filter(({ programs }) => measuredPrograms.some((program) => program in programs))
        .map(({ name, version }) => [name, version]),
    ),
    runs: args.runs,
    driver: describeDriver(args),
    nodeFlags: args.nodeFlags,
  };
}

function describeDriver({ driver }: BenchArguments): string {
  switch (driver.kind) {
    case 'memory':
      return 'volumes in a map (tools/bench/load/memory-driver.ts)';
    case 'troubled':
      return 'one that is slow or fails (tools/bench/load/troubled-driver.ts)';
    case 'disk':
      return 'holdfast-driver --backend=disk';
    case 'running':
      return driver.address;
    case 'command':
      return driver.command.join(' ');
    default:
      return driver satisfies never;
  }
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: join(import.meta.dirname, '..', '..'),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  try {
    const isChanged = git('status', '--porcelain', '--', 'packages', 'tools/bench').trim() !== '';
    return `${git('rev-parse', '--short=12', 'HEAD').trim()}${isChanged ? ' with changes' : ''}`;
  } catch {
    return 'unknown';
  }
}
