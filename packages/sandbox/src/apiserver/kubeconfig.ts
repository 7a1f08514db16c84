import { stringify } from 'yaml';

/** A kubeconfig with one cluster, one user and one context. */
export function kubeconfigText(options: {
  url: string /** PEM; undefined for plain HTTP. */;
  ca: string | undefined;
  token: string;
}): string {
  const { url, ca, token } = options;
  const authority = ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'sandbox', cluster: { server: url, ...authority } }],
    users: [{ name: 'sandbox', user: { token } }],
    contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user: 'sandbox', namespace: 'default' } }],
    'current-context': 'sandbox',
  });
}
