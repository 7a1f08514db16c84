// The programs that the driver's backends call, and nothing else: what is in the image can be used against it.

/** By the name they are called by: Debian's package, and the file in it where that has another name. */
export const driverTools: Readonly<Record<string, { readonly from: string; readonly file?: string }>> = {
  blkid: { from: 'util-linux' },
  blockdev: { from: 'util-linux' },
  btrfs: { from: 'btrfs-progs' },
  btrfstune: { from: 'btrfs-progs' },
  cat: { from: 'coreutils' },
  cp: { from: 'coreutils' },
  e2fsck: { from: 'e2fsprogs' },
  e2label: { from: 'e2fsprogs' },
  filefrag: { from: 'e2fsprogs' },
  flock: { from: 'util-linux' },
  fsck: { from: 'util-linux' },
  // fsck calls them by the file system's name.
  'fsck.ext3': { from: 'e2fsprogs', file: 'e2fsck' },
  'fsck.ext4': { from: 'e2fsprogs', file: 'e2fsck' },
  fsfreeze: { from: 'util-linux' },
  losetup: { from: 'mount' },
  'mkfs.btrfs': { from: 'btrfs-progs' },
  'mkfs.ext3': { from: 'e2fsprogs', file: 'mke2fs' },
  'mkfs.ext4': { from: 'e2fsprogs', file: 'mke2fs' },
  'mkfs.xfs': { from: 'xfsprogs' },
  mount: { from: 'mount' },
  realpath: { from: 'coreutils' },
  resize2fs: { from: 'e2fsprogs' },
  stat: { from: 'coreutils' },
  sync: { from: 'coreutils' },
  test: { from: 'coreutils' },
  umount: { from: 'mount' },
  // xfs_growfs is a program; xfs_io sets labels.
  xfs_growfs: { from: 'xfsprogs' },
  xfs_io: { from: 'xfsprogs' },
};

/** Packages of the libraries that those are linked to. */
export const toolLibraries = [
  'libacl1',
  'libattr1',
  'libblkid1',
  'libcap2',
  'libcom-err2',
  'libdevmapper1.02.1',
  'libedit2',
  'libbsd0',
  'libmd0',
  'libtinfo6',
  'libext2fs2',
  'libinih1',
  'liblzo2-2',
  'liburcu8',
  'libmount1',
  'libpcre2-8-0',
  'libselinux1',
  'libsmartcols1',
  'libss2',
  'libudev1',
  'libuuid1',
  'libzstd1',
  'zlib1g',
  'libgmp10',
  'libssl3',
] as const;

/** Files beside programs, by the package they are of. */
export const toolFiles: Readonly<Record<string, string>> = { 'etc/mke2fs.conf': 'e2fsprogs' };
