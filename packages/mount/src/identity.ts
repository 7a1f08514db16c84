import { runCommand } from './command.ts';

/**
 * Gives the copy of a file system an identity of its own before it is mounted for the first time. btrfs takes two devices of one UUID for
 * the same file system, so the second is refused or, worse, taken for the first. ext does not look at it, and xfs is mounted with
 * `nouuid`.
 */
export async function renewUuid(options: { device: string; fsType: string }): Promise<void> {
  if (options.fsType !== 'btrfs') return;
  // -m writes the superblocks alone, -u would rewrite every block of metadata. An interrupted one goes on when it is asked for again.
  await runCommand('btrfstune', ['-f', '-m', options.device], { timeoutMs: 110_000 });
}

/** Longer ones do not fit into xfs' superblock. */
export const maxLabelLength = 12;

/** Sets the label of a mounted file system, as lsblk and blkid show it. */
export async function labelFileSystem(options: {
  device: string;
  fsType: string;
  mountPoint: string;
  label: string;
}): Promise<void> {
  const { device, fsType, mountPoint, label } = options;
  switch (fsType) {
    case 'ext3':
    case 'ext4':
      await runCommand('e2label', [device, label]);
      return;
    case 'xfs':
      await runCommand('xfs_io', ['-c', label === '' ? 'label -c' : `label -s ${label}`, mountPoint]);
      return;
    case 'btrfs':
      await runCommand('btrfs', ['filesystem', 'label', mountPoint, label]);
      return;
    default:
      throw new Error(`a file system of type ${fsType} cannot be labelled here`);
  }
}
