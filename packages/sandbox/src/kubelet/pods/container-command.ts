import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '@holdfast/core';
import type { ContainerMount, ContainerSpec } from './runtime.ts';
import { initScript, shimScript } from './scripts.ts';

export const shimName = 'holdfast-shim';
export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What `/bin/sh` is given to run a container whose folder is `dir`: two fixed scripts, and all that varies as arguments. */
export function shimArguments(spec: ContainerSpec, dir: string): string[] {
  const user = spec.user === undefined ? [] : [`--reuid=${spec.user}`];
  const group = spec.group === undefined ? [] : [`--regid=${spec.group}`];
  const groups = spec.groups.length > 0 ? [`--groups=${spec.groups.join(',')}`] : ['--clear-groups'];
  const needsIdentity = user.length + group.length + spec.groups.length > 0;
  const identity = needsIdentity ? [...user, ...group, ...groups] : [];
  // Set at the very end: a shell on the way would drop names that it cannot use itself, such as "my.name". setpriv stands
  // between, because env would take a command with an equals sign in it for one more variable.
  const env = Object.entries({ PATH: defaultPath, ...spec.env }).map(([name, value]) => `${name}=${value}`);
  return [
    '-c',
    shimScript,
    shimName,
    dir,
    'unshare',
    '--mount',
    '--propagation=slave',
    '--pid',
    '--fork',
    '--kill-child',
    '--',
    '/bin/sh',
    '-c',
    initScript,
    'holdfast-init',
    join(dir, 'rootfs'),
    spec.workingDir,
    ...spec.mounts.flatMap(({ source, target, isReadOnly }) => [source, target, isReadOnly ? 'ro' : 'rw']),
    '--',
    '/usr/bin/env',
    '-i',
    ...env,
    '/usr/bin/setpriv',
    ...identity,
    '--',
    ...spec.command,
  ];
}

/** Links are followed here: inside the new root an absolute one would lead elsewhere. */
export async function resolveSources({ name, mounts }: ContainerSpec): Promise<ContainerMount[]> {
  return Promise.all(
    mounts.map(async (mount) => {
      try {
        return { ...mount, source: await realpath(mount.source) };
      } catch (error) {
        throw new Error(`what container ${name} wants at ${mount.target} cannot be found: ${errorMessage(error)}`, {
          cause: error,
        });
      }
    }),
  );
}
