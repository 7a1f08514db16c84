import { spawnSync } from 'node:child_process';

/** What this user may do on this machine. */
export type Footing = { kind: 'root' } | { kind: 'user' } | { kind: 'impossible'; reason: string };

/** A mount namespace of one's own: what a driver mounts is never seen outside, and is gone with the process. */
export function namespaceArgs(kind: 'root' | 'user'): string[] {
  const mount = ['--mount', '--propagation', 'private'];
  return kind === 'root' ? mount : ['--user', '--map-root-user', ...mount];
}

export function findFooting(): Footing {
  const kind = process.getuid?.() === 0 ? 'root' : 'user';
  const probe = spawnSync('unshare', [...namespaceArgs(kind), 'true'], { encoding: 'utf8' });
  if (probe.error) {
    return { kind: 'impossible', reason: 'the program unshare is missing; install the package util-linux.' };
  }
  if (probe.status === 0) return { kind };
  const said = probe.stderr.trim();
  const reason =
    kind === 'root'
      ? `this root may not make a mount namespace (${said}); in a container, run it with CAP_SYS_ADMIN (--privileged).`
      : `this machine does not let its users make namespaces (${said}); run it as root.`;
  return { kind: 'impossible', reason };
}
