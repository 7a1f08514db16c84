import type { SidecarName } from '../rig/contract.ts';
import { sidecarNames } from './sidecars.ts';

export interface Options {
  /** The sidecars that are swapped. */
  readonly only: readonly SidecarName[];
  readonly isShort: boolean;
  /** One of the parts alone; undefined: all. */
  readonly part: 'rollover' | 'scenarios' | undefined;
  readonly cluster: 'kubernetes' | 'sandbox';
  /** Only cases whose name holds this. */
  readonly named: string;
  /** Only scenarios that this pattern fits; empty: all. */
  readonly scenario: string;
  /** Where the recordings are written as JSON, for a look at them. */
  readonly keep: string | undefined;
}

export const usage = `npm run test:swap [-- OPTION…]
  --only=NAME        provisioner, attacher or resizer alone; several with commas
  --short            a few cases and scenarios of each, without roll-over
  --case=TEXT        only cases whose name holds it
  --cluster=sandbox  on the sandbox instead of a Kubernetes control plane
  --rollover         the roll-over alone
  --scenarios        the scenarios of test:control-plane alone
  -t PATTERN         only scenarios whose name it fits, and nothing else
  --keep=FOLDER      write what was recorded into it`;

/** @throws Error that names the argument */
export function parseOptions(args: readonly string[]): Options {
  let options: Options = {
    only: sidecarNames,
    isShort: false,
    part: undefined,
    cluster: 'kubernetes',
    named: '',
    scenario: '',
    keep: undefined,
  };
  for (const [index, arg] of args.entries()) {
    const [name = '', value = ''] = arg.split(/=(.*)/s);
    const next = args[index + 1];
    if (args[index - 1] === '-t') options = { ...options, part: 'scenarios', scenario: arg };
    else if (arg === '-t' && next !== undefined) continue;
    else if (arg === '--short') options = { ...options, isShort: true };
    else if (arg === '--rollover') options = { ...options, part: 'rollover' };
    else if (arg === '--scenarios') options = { ...options, part: 'scenarios' };
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
