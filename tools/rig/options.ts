import { parseArgs } from 'node:util';
import type { Backend, ClusterKind, Maker } from './contract.ts';

export class OptionError extends Error {}

export interface RigMainOptions {
  readonly cluster: ClusterKind;
  readonly backend: Backend;
  readonly sidecars: Maker;
  readonly nodes: number;
  readonly zone: string | undefined;
  readonly help: boolean;
}

export const usage = `npm run rig -- [options]: a cluster with nodes, the driver and its sidecars, until Ctrl-C

  --cluster=sandbox|kubernetes   the API server and the loops (default: sandbox; kubernetes needs Go once, to build it)
  --backend=disk|dir             what volumes are (default: disk, which needs root)
  --sidecars=ours|upstream       who wrote the sidecars (default: ours)
  --nodes=N                      how many nodes, node-1 and so on (default: 1)
  --zone=NAME                    put them into one zone, so that a disk can move between them
`;

/** @throws OptionError */
export function parseOptions(args: readonly string[]): RigMainOptions {
  const { cluster, backend, sidecars, nodes, zone, help } = readArgs(args);
  const count = Number(nodes);
  if (!Number.isInteger(count) || count < 1 || count > 20) {
    throw new OptionError(`--nodes=${nodes}: must be a number from 1 to 20`);
  }
  return {
    cluster: oneOf('cluster', cluster, ['sandbox', 'kubernetes']),
    backend: oneOf('backend', backend, ['disk', 'dir']),
    sidecars: oneOf('sidecars', sidecars, ['ours', 'upstream']),
    nodes: count,
    zone,
    help,
  };
}

function readArgs(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        cluster: { type: 'string', default: 'sandbox' },
        backend: { type: 'string', default: 'disk' },
        sidecars: { type: 'string', default: 'ours' },
        nodes: { type: 'string', default: '1' },
        zone: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new OptionError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function oneOf<const Choice extends string>(name: string, value: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new OptionError(`--${name}=${value}: must be ${choices.join(' or ')}`);
  return found;
}
