import type { SidecarName } from '../rig/contract.ts';
import { sidecarNames } from './sidecars.ts';

export interface Options {
  /** The sidecars that are swapped. */
  readonly only: readonly SidecarName[];
  readonly isShort: boolean;
  readonly isRolloverOnly: boolean;
  readonly cluster: 'kubernetes' | 'sandbox';
  /** Only cases whose name holds this. */
  readonly named: string;
  /** Where the recordings are written as JSON, for a look at them. */
  readonly keep: string | undefined;
}

export const usage = `npm run test:swap [-- OPTION…]
  --only=NAME        provisioner, attacher or resizer alone; several with commas
  --short            a few cases of each, without roll-over
  --case=TEXT        only cases whose name holds it
  --cluster=sandbox  on the sandbox instead of a Kubernetes control plane
  --rollover         the roll-over alone
  --keep=FOLDER      write what was recorded into it`;

/** @throws Error that names the argument */
export function parseOptions(args: readonly string[]): Options {
  let options: Options = {
    only: sidecarNames,
    isShort: false,
    isRolloverOnly: false,
    cluster: 'kubernetes',
    named: '',
    keep: undefined,
  };
  for (const arg of args) {
    const [name = '', value = ''] = arg.split(/=(.*)/s);
    if (arg === '--short') options = { ...options, isShort: true };
    else if (arg === '--rollover') options = { ...options, isRolloverOnly: true };
    else if (name === '--only') options = { ...options, only: value.split(',').map(sidecarOf) };
    else if (name === '--case' && value !== '') options = { ...options, named: value };
    else if (name === '--keep' && value !== '') options = { ...options, keep: value };
    else if (name === '--cluster' && (value === 'kubernetes' || value === 'sandbox')) {
      options = { ...options, cluster: value };
    } else throw new Error(`unknown argument ${arg}\n${usage}`);
  }
  return options;
}

function sidecarOf(text: string): SidecarName {
  const found = sidecarNames.find((name) => name === text);
  if (found === undefined) throw new Error(`--only: no sidecar "${text}"; there are: ${sidecarNames.join(', ')}`);
  return found;
}
