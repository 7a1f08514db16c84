import type { ClusterKind, Maker, SidecarName } from '../rig/contract.ts';
import { clusterKinds, parseMakers } from './settings.ts';

export interface Options {
  readonly clusters: readonly ClusterKind[];
  /** The suite is played once for each, on one cluster. */
  readonly rounds: readonly Round[];
  readonly vitestArgs: readonly string[];
}

/** Who wrote the sidecars of a pass. */
export interface Round {
  readonly makers: Readonly<Record<SidecarName, Maker>>;
  /** The value of --sidecars, for the processes that play. */
  readonly makersText: string;
}

export class OptionError extends Error {}

/** @throws OptionError */
export function parseOptions(args: readonly string[]): Options {
  const vitestArgs: string[] = [];
  let clusters = clusterKinds;
  const texts: string[] = [];
  for (const arg of args) {
    const [, name, value = ''] = /^--(cluster|sidecars)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === 'cluster') clusters = [parseCluster(value)];
    else if (name === 'sidecars') texts.push(value);
    else vitestArgs.push(arg);
  }
  try {
    const rounds = (texts.length === 0 ? [''] : texts).map((makersText): Round => {
      return { makers: parseMakers(makersText), makersText };
    });
    return { clusters, rounds, vitestArgs };
  } catch (error) {
    throw new OptionError(`--sidecars: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function parseCluster(value: string): ClusterKind {
  const kind = clusterKinds.find((candidate) => candidate === value);
  if (kind === undefined) throw new OptionError(`--cluster is one of ${clusterKinds.join(', ')}, not "${value}"`);
  return kind;
}
