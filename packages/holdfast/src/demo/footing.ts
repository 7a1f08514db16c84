import { spawnSync } from 'node:child_process';

/** What this user may do on this machine. */
export type Footing = { kind: 'root' } | { kind: 'user' } | { kind: 'impossible'; reason: string };

export function namespaceArgs(footing: { kind: 'root' | 'user' }): string[] {
  const mount = ['--mount', '--propagation', 'private'];
  return footing.kind === 'root' ? mount : ['--user', '--map-root-user', ...mount];
}

export function findFooting(): Footing {
  if (process.platform !== 'linux') {
    return {
      kind: 'impossible',
      reason: `the demo makes real mounts and so needs Linux; this is ${process.platform}.`,
    };
  }
  const kind = process.getuid?.() === 0 ? 'root' : 'user';
  const probe = spawnSync('unshare', [...namespaceArgs({ kind }), 'true'], { encoding: 'utf8' });
  if (probe.error)
    return { kind: 'impossible', reason: 'the program unshare is missing; install the package util-linux.' };
  if (probe.status === 0) return { kind };
  const said = probe.stderr.trim();
  const reason =
    kind === 'root'
      ? `this root may not make a mount namespace (${said}); in a container, run it with CAP_SYS_ADMIN (--privileged).`
      : `this machine does not let its users make namespaces (${said}); run the demo as root.`;
  return { kind: 'impossible', reason };
}
