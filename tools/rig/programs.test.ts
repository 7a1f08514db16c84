import { describe, expect, it } from 'vitest';
import { attacherFlags } from '../../packages/external-attacher/src/flags.ts';
import { provisionerFlags } from '../../packages/external-provisioner/src/flags.ts';
import { resizerFlags } from '../../packages/external-resizer/src/flags.ts';
import type { SidecarName } from './contract.ts';
import { commandLine } from './program.ts';
import { accountOf, type Places, sidecarArgs, sidecarLabel } from './programs.ts';

const places: Places = {
  folder: '/rig',
  backend: 'disk',
  adminKubeconfig: '/admin',
  maxVolumesPerNode: 0,
  isFronted: false,
  isPerNode: false,
};
const tables = { provisioner: provisionerFlags, attacher: attacherFlags, resizer: resizerFlags };

function argsOf(name: SidecarName, leaderElection: boolean): string[] {
  const args = ['--worker-threads=3'];
  const own = { name, maker: 'ours', replica: undefined, node: undefined } as const;
  return sidecarArgs(places, { ...own, args, env: {}, kubeconfig: '/kc', leaderElection });
}

describe.each(['provisioner', 'attacher', 'resizer'] as const)('%s', (name) => {
  it('is given flags that it has', () => {
    const known = Object.keys(tables[name].table);
    const given = argsOf(name, true).slice(0, -1);
    expect(
      given.map((flag) => flag.replace(/^--/, '').replace(/=.*/, '')).filter((flag) => !known.includes(flag)),
    ).toEqual([]);
  });

  it('elects a leader only when told so, and lets the caller have the last word', () => {
    expect(argsOf(name, false)).not.toContain('--leader-election');
    expect(argsOf(name, true)).toContain('--leader-election');
    expect(argsOf(name, true)).toContain('--leader-election-namespace=holdfast-system');
    expect(argsOf(name, true).at(-1)).toBe('--worker-threads=3');
  });

  it('has an account of its own by maker, so that rules of the Go sidecar do not hide a missing one of ours', () => {
    expect(accountOf(name, 'upstream')).not.toBe(accountOf(name, 'ours'));
  });
});

it('replicas have labels of their own', () => {
  expect(sidecarLabel({ name: 'attacher', replica: undefined })).toBe('attacher');
  expect(sidecarLabel({ name: 'attacher', replica: 'b' })).toBe('attacher/b');
});

describe('commandLine', () => {
  it('lets a program die with this process', () => {
    expect(commandLine({ file: '/bin/x', args: ['--a'] })).toEqual(['setpriv', '--pdeathsig', 'KILL', '/bin/x', '--a']);
  });

  it('passes the host name and the arguments on as they are, through no shell text', () => {
    const line = commandLine({ file: '/bin/x', args: ['$(reboot)'], hostName: 'csi-attacher-a' });
    expect(line.slice(-3)).toEqual(['csi-attacher-a', '/bin/x', '$(reboot)']);
    expect(line.filter((part) => part.includes('exec'))).toEqual(['hostname "$0" && exec "$@"']);
  });
});
