import { renameSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';

export interface ClusterAccess {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
}

/** Writes, whole, a kubeconfig of one user who has one token. */
export function writeKubeconfig(path: string, { url, ca }: ClusterAccess, user: { name: string; token: string }): void {
  const text = stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'rig', cluster: { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name: user.name, user: { token: user.token } }],
    contexts: [{ name: 'rig', context: { cluster: 'rig', user: user.name, namespace: 'default' } }],
    'current-context': 'rig',
  });
  writeFileSync(`${path}.tmp`, text, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}
