import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyGroup, isGroupApplied } from './group-ownership.ts';
import type { CsiVolume } from './spec.ts';

function volume(over: Partial<CsiVolume> = {}): CsiVolume {
  return {
    driver: 'disk.test',
    handle: 'h',
    specName: 'pv',
    uniqueName: 'kubernetes.io/csi/disk.test^h',
    isBlock: false,
    isEphemeral: false,
    isReadOnly: false,
    accessModes: ['ReadWriteOnce'],
    fsType: 'ext4',
    mountOptions: [],
    attributes: {},
    stageSecret: undefined,
    publishSecret: undefined,
    expandSecret: undefined,
    claimKey: undefined,
    ...over,
  };
}

describe('a volume is given to the group', () => {
  it.each([
    ['of one node, with a file system, by default', volume(), undefined, false, true],
    ['of one pod', volume({ accessModes: ['ReadWriteOncePod'] }), 'ReadWriteOnceWithFSType', false, true],
    ['that is shared: no', volume({ accessModes: ['ReadWriteMany'] }), 'ReadWriteOnceWithFSType', false, false],
    ['without a file system type: no', volume({ fsType: '' }), undefined, false, false],
    ['that is shared, by policy File', volume({ accessModes: ['ReadWriteMany'], fsType: '' }), 'File', false, true],
    ['by policy None: no', volume(), 'None', false, false],
    ['that is read-only: no', volume(), 'File', true, false],
    ['that is a block device: no', volume({ isBlock: true }), 'File', false, false],
  ] as const)('%s', (_, subject, policy, isReadOnly, expected) => {
    expect(isGroupApplied(subject, policy, isReadOnly)).toBe(expected);
  });
});

it('gives the group what it needs and no more', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'holdfast-group-'));
  try {
    await mkdir(join(dir, 'sub'), { mode: 0o700 });
    await writeFile(join(dir, 'sub', 'data'), 'x', { mode: 0o600 });
    await writeFile(join(dir, 'tool'), 'x');
    await chmod(join(dir, 'tool'), 0o700);
    // Root may give files to any group, everybody else to the groups they are in.
    const group = process.getuid?.() === 0 ? 4321 : (process.getgid?.() ?? 0);
    await applyGroup(dir, group, new AbortController().signal);
    const modes = async (path: string) => {
      const { mode, gid } = await stat(join(dir, path));
      return [(mode & 0o7777).toString(8), gid];
    };
    expect(await modes('sub')).toEqual(['2770', group]);
    expect(await modes('sub/data')).toEqual(['660', group]);
    expect(await modes('tool')).toEqual(['770', group]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
