import * as make from '../objects.ts';
import { paths } from '../objects.ts';
import type { JsonObject, Step, Topic } from '../script.ts';
import { get, patch, post, put, remove, script } from '../script.ts';

const { roles, roleBindings, clusterRoles, clusterRoleBindings, serviceAccounts, configMaps, pods } = paths;
const reader = { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] };
const toRole = (kind: string, name: string): JsonObject => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });
const account = { kind: 'ServiceAccount', name: 'robot', namespace: '{{ns}}' };
const tokenOf = (name: string): string => `${serviceAccounts}/${name}/token`;
const tokenRequest = (spec: JsonObject = {}, rest: JsonObject = {}): JsonObject => ({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenRequest',
  spec: { audiences: ['somebody'], ...spec },
  ...rest,
});
const asRobot = { headers: { authorization: 'Bearer {{token.status.token}}' } };
const limited = (step: Step): Step => ({ ...step, headers: { ...step.headers, ...asRobot.headers } });

/** Authorization reads bindings from a cache, which has them by the time a watch has told of them. */
const untilSeen = (path: string): Step => get(`${path}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name=none`);

export const access: Topic = {
  name: 'access',
  scripts: [
    script(
      'roles',
      post(roles, make.role('r', { rules: [reader] })),
      get(`${roles}/r`),
      get(roles),
      post(roles, make.role('none')),
      post(roles, make.role('empty', { rules: [] })),
      post(roles, make.role('with:colon')),
      post(roles, make.role('with/slash')),
      post(roles, make.role('1', { rules: [{ ...reader, verbs: [] }] })),
      post(roles, make.role('2', { rules: [{ verbs: ['get'] }] })),
      post(roles, make.role('3', { rules: [{ verbs: ['get'], apiGroups: [''] }] })),
      post(roles, make.role('4', { rules: [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }] })),
      post(roles, make.role('5', { rules: [reader, {}] })),
      post(roles, make.role('6', { rules: 'x' })),
      patch('merge', `${roles}/r`, { rules: [{ ...reader, resourceNames: ['one'] }] }),
      patch('merge', `${roles}/r`, { rules: [{ ...reader, verbs: null }] }),
      patch('strategic', `${roles}/r`, { rules: [reader] }),
      patch('apply', `${roles}/applied?fieldManager=one`, make.role('applied', { rules: [reader] })),
      put(`${roles}/put`, make.role('put', { rules: [reader] })),
      remove(`${roles}/r`),
    ),
    script(
      'cluster roles',
      post(clusterRoles, make.clusterRole('{{ns}}:r', { rules: [reader] })),
      post(
        clusterRoles,
        make.clusterRole('{{ns}}:urls', { rules: [{ verbs: ['get'], nonResourceURLs: ['/metrics', '/a/*'] }] }),
      ),
      post(clusterRoles, make.clusterRole('{{ns}}:1', { rules: [{ ...reader, nonResourceURLs: ['/metrics'] }] })),
      post(clusterRoles, make.clusterRole('{{ns}}:2', { aggregationRule: {} })),
      post(
        clusterRoles,
        make.clusterRole('{{ns}}:3', { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } }),
      ),
      get(`${clusterRoles}/{{ns}}:r`),
      remove(`${clusterRoles}/{{ns}}:r`),
    ),
    script(
      'bindings',
      post(roleBindings, make.roleBinding('b', { subjects: [account], roleRef: toRole('Role', 'absent') })),
      get(`${roleBindings}/b`),
      patch('merge', `${roleBindings}/b`, { roleRef: { name: 'other' } }),
      patch('merge', `${roleBindings}/b`, { roleRef: { kind: 'ClusterRole' } }),
      patch('merge', `${roleBindings}/b`, { subjects: [{ kind: 'User', name: 'jane' }] }),
      patch('merge', `${roleBindings}/b`, { subjects: null }),
      post(roleBindings, make.roleBinding('1')),
      post(roleBindings, make.roleBinding('2', { roleRef: { kind: 'Role', name: '' } })),
      post(roleBindings, make.roleBinding('3', { roleRef: { apiGroup: 'x', kind: 'Role', name: 'x' } })),
      post(roleBindings, make.roleBinding('4', { roleRef: { kind: 'Shoe', name: 'x' } })),
      post(
        roleBindings,
        make.roleBinding('5', {
          roleRef: toRole('ClusterRole', 'x'),
          subjects: [
            { kind: 'User' },
            { kind: 'Shoe', name: 'x' },
            { kind: 'Group', apiGroup: 'x', name: 'g' },
            { kind: 'ServiceAccount', name: 'Bad_Name' },
            { kind: 'ServiceAccount', name: 'robot' },
          ],
        }),
      ),
      post(
        clusterRoleBindings,
        make.clusterRoleBinding('{{ns}}:1', {
          roleRef: toRole('Role', 'x'),
          subjects: [{ kind: 'ServiceAccount', name: 'robot' }],
        }),
      ),
      post(
        clusterRoleBindings,
        make.clusterRoleBinding('{{ns}}:b', { roleRef: toRole('ClusterRole', 'x'), subjects: [account] }),
      ),
      patch('merge', `${clusterRoleBindings}/{{ns}}:b`, { roleRef: { name: 'other' } }),
      remove(`${clusterRoleBindings}/{{ns}}:b`),
      remove(`${roleBindings}/b`),
    ),
    script(
      'token requests',
      post(serviceAccounts, make.serviceAccount('robot'), { as: 'robot' }),
      post(tokenOf('robot'), tokenRequest()),
      post(tokenOf('robot'), tokenRequest({ audiences: [] })),
      post(tokenOf('robot'), tokenRequest({ audiences: ['a', 'b'], expirationSeconds: 3600 })),
      post(tokenOf('robot'), tokenRequest({ expirationSeconds: 60 })),
      post(tokenOf('robot'), tokenRequest({ expirationSeconds: 4294967297 })),
      post(tokenOf('absent'), tokenRequest()),
      post(tokenOf('robot'), tokenRequest({}, { metadata: { name: 'other' } })),
      post(tokenOf('robot'), tokenRequest({}, { metadata: { namespace: 'default' } })),
      post(tokenOf('robot'), tokenRequest({}, { metadata: { uid: 'wrong' } })),
      post(tokenOf('robot'), make.configMap('x')),
      post(tokenOf('robot'), '{'),
      get(tokenOf('robot')),
      post(tokenOf('robot'), tokenRequest({ boundObjectRef: { kind: 'ConfigMap', apiVersion: 'v1', name: 'x' } })),
      post(tokenOf('robot'), tokenRequest({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'absent' } })),
      post(pods, make.pod('own', { spec: { serviceAccountName: 'robot' } }), { as: 'own' }),
      post(pods, make.pod('others', { spec: { serviceAccountName: 'default' } })),
      post(tokenOf('robot'), tokenRequest({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'own' } })),
      post(
        tokenOf('robot'),
        tokenRequest({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'own', uid: '{{own.uid}}' } }),
      ),
      post(
        tokenOf('robot'),
        tokenRequest({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'own', uid: 'wrong' } }),
      ),
      post(tokenOf('robot'), tokenRequest({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'others' } })),
    ),
    script(
      'who may do little',
      post(serviceAccounts, make.serviceAccount('robot')),
      post(tokenOf('robot'), tokenRequest({ audiences: [] }), { as: 'token' }),
      limited(get(configMaps)),
      limited(get('/api/v1/persistentvolumes')),
      limited(get('/version', { comparesBody: false })),
      limited(get('/metrics')),
      limited(get('/nothing')),
      post(roles, make.role('little', { rules: [reader, { apiGroups: [''], resources: ['pods'], verbs: ['patch'] }] })),
      post(roleBindings, make.roleBinding('little', { roleRef: toRole('Role', 'little'), subjects: [account] })),
      untilSeen(roleBindings),
      untilSeen(roles),
      limited(get(configMaps)),
      limited(get(`${configMaps}/absent`)),
      limited(get('/api/v1/configmaps')),
      limited(get('/api/v1/namespaces/default/configmaps')),
      limited(get(`${configMaps}?watch=true&timeoutSeconds=1`)),
      limited(get(`${paths.claims}?watch=true&timeoutSeconds=1`)),
      limited(post(configMaps, make.configMap('x'))),
      limited(post(configMaps, '{')),
      limited(put(`${configMaps}/x`, make.configMap('x'))),
      limited(patch('merge', `${configMaps}/x`, {})),
      limited(remove(`${configMaps}/x`)),
      limited(remove(configMaps)),
      limited(get(`${paths.claims}/c/status`)),
      limited(patch('merge', `${pods}/absent`, {})),
      limited(patch('merge', `${pods}/absent/status`, {})),
      limited(patch('apply', `${pods}/absent?fieldManager=one`, make.pod('absent'))),
      limited(get('/apis/storage.k8s.io/v1/volumeattachments/va')),
      limited(get('/api/v1/namespaces/{{ns}}/nothing')),
      limited(post(tokenOf('robot'), tokenRequest())),
      limited(post(roles, make.role('more', { rules: [{ ...reader, verbs: ['*'] }] }))),
      limited(
        post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes: { verb: 'list', resource: 'configmaps', namespace: '{{ns}}' } },
        }),
      ),
      remove(`${serviceAccounts}/robot`),
    ),
  ],
};
