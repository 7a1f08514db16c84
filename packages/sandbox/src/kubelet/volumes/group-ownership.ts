import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Pod } from '@holdfast/kube';
import type { CsiVolume } from './spec.ts';

const run = promisify(execFile);

const exclusiveModes = new Set(['ReadWriteOnce', 'ReadWriteOncePod']);

/** Whether kubelet itself hands the volume to the pod's fsGroup, by CSIDriver.fsGroupPolicy. */
export function isGroupApplied(volume: CsiVolume, policy: string | undefined, isReadOnly: boolean): boolean {
  if (volume.isBlock || isReadOnly || policy === 'None') {
    return false;
  }
  // ReadWriteOnceWithFSType is the policy of drivers that name none; it means ReadWriteOncePod too (kubernetes#127817).
  return policy === 'File' || (volume.fsType !== '' && volume.accessModes.some((mode) => exclusiveModes.has(mode)));
}

export function groupOf(pod: Pod): number | undefined {
  return pod.spec?.securityContext?.fsGroup;
}

/** Gives the group every file, and the folders the set-group-id bit so that new files follow. */
export async function applyGroup(path: string, group: number, signal: AbortSignal): Promise<void> {
  const options = { signal, env: { ...process.env, LC_ALL: 'C' } };
  await run('chgrp', ['-R', '--no-dereference', String(group), path], options);
  await run('chmod', ['-R', 'g+rwX', path], options);
  await run('find', [path, '-type', 'd', '-exec', 'chmod', 'g+s', '{}', '+'], options);
}
