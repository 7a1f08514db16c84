import { spawnSync } from 'node:child_process';
import { attacherFlags } from '@holdfast/external-attacher';
import { provisionerFlags } from '@holdfast/external-provisioner';
import { resizerFlags } from '@holdfast/external-resizer';
import { referenceProgram } from '../../reference/build.ts';
import type { SidecarName } from '../../rig/contract.ts';
import type { Difference } from '../observe/differences.ts';
import { flagDifferences } from './compare-flags.ts';
import { goHelp } from './go-help.ts';

const tables = { provisioner: provisionerFlags, attacher: attacherFlags, resizer: resizerFlags } as const;

/** Our flag table against what the Go program of the same name prints for `--help`. */
export function compareProgramFlags(name: SidecarName): Difference[] {
  const program = `csi-${name}`;
  const { stdout, stderr } = spawnSync(referenceProgram(program), ['--help'], { encoding: 'utf8' });
  const help = goHelp(`${stdout}${stderr}`);
  if (help.flags.length === 0) throw new Error(`${program} --help tells of no flag:\n${stderr}`);
  return flagDifferences(tables[name].table, help).map(({ what, ...rest }) => ({
    place: `flags/${program}/${what}`,
    ...rest,
  }));
}
