import type { ClusterKind, Maker, SidecarName } from '../rig/contract.ts';
import { clusterKinds, parseMakers } from './settings.ts';

export interface Options {
  readonly clusters: readonly ClusterKind[];
  readonly makers: Readonly<Record<SidecarName, Maker>>;
  /** The value of --sidecars, for the processes that play. */
  readonly makersText: string;
  readonly vitestArgs: readonly string[];
}

export class OptionError extends Error {}

/** @throws OptionError */
export function parseOptions(args: readonly string[]): Options {
  const vitestArgs: string[] = [];
  let clusters = clusterKinds;
  let makersText = '';
  for (const arg of args) {
    const [, name, value = ''] = /^--(cluster|sidecars)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === 'cluster') clusters = [parseCluster(value)];
    else if (name === 'sidecars') makersText = value;
    else vitestArgs.push(arg);
  }
  try {
    return { clusters, makers: parseMakers(makersText), makersText, vitestArgs };
  } catch (error) {
    throw new OptionError(`--sidecars: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function parseCluster(value: string): ClusterKind {
  const kind = clusterKinds.find((candidate) => candidate === value);
  if (kind === undefined) throw new OptionError(`--cluster is one of ${clusterKinds.join(', ')}, not "${value}"`);
  return kind;
}
