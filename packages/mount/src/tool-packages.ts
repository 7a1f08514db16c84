// The Debian and Ubuntu package of every tool this package runs. Fedora and Alpine use the same names for these.
const packages: Readonly<Record<string, string>> = {
  blkid: 'util-linux',
  blockdev: 'util-linux',
  btrfs: 'btrfs-progs',
  btrfstune: 'btrfs-progs',
  cat: 'coreutils',
  cp: 'coreutils',
  e2fsck: 'e2fsprogs',
  e2label: 'e2fsprogs',
  filefrag: 'e2fsprogs',
  flock: 'util-linux',
  fsck: 'util-linux',
  fsfreeze: 'util-linux',
  losetup: 'util-linux',
  'mkfs.btrfs': 'btrfs-progs',
  'mkfs.ext3': 'e2fsprogs',
  'mkfs.ext4': 'e2fsprogs',
  'mkfs.xfs': 'xfsprogs',
  mount: 'util-linux',
  realpath: 'coreutils',
  resize2fs: 'e2fsprogs',
  stat: 'coreutils',
  sync: 'coreutils',
  test: 'coreutils',
  umount: 'util-linux',
  xfs_growfs: 'xfsprogs',
  xfs_io: 'xfsprogs',
};

export function packageFor(tool: string): string | undefined {
  return packages[tool];
}
