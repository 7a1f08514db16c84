import type { JsonObject } from '../json.ts';
import type { Kind } from '../kind.ts';
import { storageName } from '../kind.ts';
import { clusterRoleBindings, clusterRoles } from '../kinds/rbac.ts';
import type { VerbContext } from '../verbs/context.ts';
import { createObject } from '../verbs/create.ts';

const read = ['get', 'list', 'watch'];
const write = ['create', 'delete', 'deletecollection', 'patch', 'update'];

function may(verbs: readonly string[], group: string, ...resources: readonly string[]): JsonObject {
  return { verbs: [...verbs], apiGroups: [group], resources: [...resources] };
}

function mayGet(...nonResourceURLs: readonly string[]): JsonObject {
  return { verbs: ['get'], nonResourceURLs: nonResourceURLs.toSorted() };
}

const health = ['/healthz', '/livez', '/readyz', '/version', '/version/'];
const discovery = ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*'];
const monitored = ['/healthz', '/livez', '/readyz', '/healthz/*', '/livez/*', '/readyz/*'];
const metrics = ['/metrics', '/metrics/slis', '/flagz', '/statusz'];
const inNamespace = ['configmaps', 'persistentvolumeclaims', 'pods', 'serviceaccounts', 'services'];

const viewRules = [
  may(read, '', ...inNamespace, 'events', 'namespaces'),
  may(read, '', 'namespaces/status', 'persistentvolumeclaims/status', 'pods/log', 'pods/status', 'services/status'),
];
const editRules = [
  ...viewRules,
  may([...read, ...write], '', 'secrets'),
  may(write, '', ...inNamespace, 'events'),
  may(['create'], '', 'serviceaccounts/token'),
  may([...read, ...write], 'coordination.k8s.io', 'leases'),
];
const adminRules = [
  ...editRules,
  may(['create'], 'authorization.k8s.io', 'localsubjectaccessreviews'),
  may([...read, ...write], 'rbac.authorization.k8s.io', 'roles', 'rolebindings'),
];

/** Upstream's, as far as the server has what they are about; `admin`, `edit` and `view` whole instead of aggregated. */
const bootstrapRoles: Readonly<Record<string, readonly JsonObject[]>> = {
  admin: adminRules,
  'cluster-admin': [may(['*'], '*', '*'), { verbs: ['*'], nonResourceURLs: ['*'] }],
  edit: editRules,
  'system:basic-user': [
    may(['create'], 'authorization.k8s.io', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews'),
    may(['create'], 'authentication.k8s.io', 'selfsubjectreviews'),
  ],
  'system:discovery': [mayGet(...discovery, ...health)],
  'system:monitoring': [mayGet(...monitored, ...metrics), may(['get'], '', 'nodes/metrics')],
  'system:public-info-viewer': [mayGet(...health)],
  view: viewRules,
};

/** Which groups have which of them, everywhere. */
const bootstrapBindings: Readonly<Record<string, readonly string[]>> = {
  'cluster-admin': ['system:masters'],
  'system:basic-user': ['system:authenticated'],
  'system:discovery': ['system:authenticated'],
  'system:monitoring': ['system:monitoring'],
  'system:public-info-viewer': ['system:authenticated', 'system:unauthenticated'],
};

/** Makes the roles a cluster begins with. One that is there, from an earlier run, is left as it is. */
export function bootstrapAccess(context: VerbContext): void {
  const apiGroup = 'rbac.authorization.k8s.io';
  const ensure = (kind: Kind, name: string, content: JsonObject): void => {
    if (context.storage.get(storageName(kind), name) !== undefined) return;
    const metadata = {
      name,
      labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
      annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
    };
    createObject(context, kind, undefined, { metadata, ...content }, { isDryRun: false, fieldManager: '' });
  };
  for (const [name, rules] of Object.entries(bootstrapRoles)) ensure(clusterRoles, name, { rules: [...rules] });
  for (const [name, groups] of Object.entries(bootstrapBindings)) {
    const subjects = groups.map((group) => ({ apiGroup, kind: 'Group', name: group }));
    ensure(clusterRoleBindings, name, { subjects, roleRef: { apiGroup, kind: 'ClusterRole', name } });
  }
}
