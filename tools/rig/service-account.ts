import type { KubeClient } from '@holdfast/kube';
import * as z from 'zod';

const tokenReply = z.object({ status: z.object({ token: z.string().min(1) }) });
const expirationSeconds = 24 * 60 * 60;

/** A token for a service account; the account is made if need be, its namespace is not. */
export async function serviceAccountToken(client: KubeClient, namespace: string, name: string): Promise<string> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}`;
  await client.request(
    'PATCH',
    path,
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } },
    { query: { fieldManager: 'rig-token', force: true }, contentType: 'application/apply-patch+yaml' },
  );
  const { body } = await client.request('POST', `${path}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds },
  });
  const reply = tokenReply.safeParse(body);
  if (!reply.success) throw new Error(`the server gave no token for the service account ${namespace}/${name}`);
  return reply.data.status.token;
}
