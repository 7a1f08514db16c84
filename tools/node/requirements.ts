import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** The folder where Debian puts the network plug-ins. */
export const cniFolder = '/usr/lib/cni';

const tools: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  buildah: 'buildah',
  ip: 'iproute2',
  unshare: 'util-linux',
  losetup: 'util-linux',
};

/** Why no real node can run on this machine, in one line; undefined where it can. */
export function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return 'a node needs root: containerd and kubelet mount';
  const packages = new Set<string>();
  for (const [tool, name] of Object.entries(tools)) {
    if (spawnSync('which', [tool], { stdio: 'ignore' }).status !== 0) packages.add(name);
  }
  if (!existsSync(`${cniFolder}/bridge`)) packages.add('containernetworking-plugins');
  if (!existsSync('/bin/busybox')) packages.add('busybox-static');
  if (packages.size > 0) return `install ${[...packages].join(' ')}`;
  const tried = spawnSync('unshare', ['--mount', '--net', '--pid', '--fork', '--mount-proc', 'true'], {
    encoding: 'utf8',
  });
  return tried.status === 0 ? undefined : `the kernel allows no namespaces: ${tried.stderr.trim()}`;
}
