import type { MountEntry } from './mount-info.ts';

// File systems whose every answer comes from another process or machine, which may never give it.
const servedTypes = new Set([
  '9p',
  'afs',
  'beegfs',
  'ceph',
  'cifs',
  'coda',
  'glusterfs',
  'gpfs',
  'lustre',
  'ncpfs',
  'smb3',
  'smbfs',
  'virtiofs',
]);

/** `fuse`, `fuse.sshfs`, `fuseblk`; `nfs`, `nfs4`. */
export function isServed({ fsType }: Pick<MountEntry, 'fsType'>): boolean {
  return /^(fuse|fuseblk|nfs4?)(\.|$)/.test(fsType) || servedTypes.has(fsType);
}
