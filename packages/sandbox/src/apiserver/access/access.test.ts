import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RawApi, type RawReply, startRawApi } from '../../testing/raw-api.ts';
import { type JsonObject, type JsonValue, objectAt, stringAt } from '../json.ts';
import { issuer } from './account-tokens.ts';

let api: RawApi;
let authorization: string;
const rbac = '/apis/rbac.authorization.k8s.io/v1';
const claims = '/api/v1/namespaces/default/persistentvolumeclaims';
const configMaps = '/api/v1/namespaces/default/configmaps';
const robot = { kind: 'ServiceAccount', name: 'robot', namespace: 'default' };

beforeEach(async () => {
  api = await startRawApi();
  await post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'robot' } });
  const { body } = await api.call('POST', '/api/v1/namespaces/default/serviceaccounts/robot/token', { spec: {} });
  authorization = `Bearer ${stringAt(body, 'status', 'token') ?? ''}`;
});
afterEach(() => api.stop());

async function post(path: string, body: JsonObject): Promise<JsonObject> {
  const reply = await api.call('POST', path, body);
  expect(reply.body).not.toHaveProperty('reason');
  return reply.body;
}

/** As the account, not as the administrator. */
function asRobot(
  method: string,
  path: string,
  body?: JsonValue,
  headers: Record<string, string> = {},
): Promise<RawReply> {
  return api.call(method, path, body, { authorization, ...headers });
}

async function mayRobot(...rules: JsonObject[]): Promise<void> {
  await post(`${rbac}/clusterroles`, { metadata: { name: 'robot' }, rules });
  const roleRef = { kind: 'ClusterRole', name: 'robot' };
  await post(`${rbac}/clusterrolebindings`, { metadata: { name: 'robot' }, subjects: [robot], roleRef });
}

function rule(verbs: string[], ...resources: string[]): JsonObject {
  return { verbs, apiGroups: ['', 'storage.k8s.io'], resources };
}

describe('a request that no role allows', () => {
  it("is refused in upstream's words", async () => {
    const who = 'User "system:serviceaccount:default:robot" cannot';
    expect((await asRobot('GET', '/api/v1/persistentvolumeclaims')).body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `persistentvolumeclaims is forbidden: ${who} list resource "persistentvolumeclaims" in API group "" at the cluster scope`,
      reason: 'Forbidden',
      details: { kind: 'persistentvolumeclaims' },
      code: 403,
    });
    const attachment = '/apis/storage.k8s.io/v1/volumeattachments/va/status';
    expect((await asRobot('PATCH', attachment, {})).body).toMatchObject({
      message: `volumeattachments.storage.k8s.io "va" is forbidden: ${who} patch resource "volumeattachments/status" in API group "storage.k8s.io" at the cluster scope`,
      details: { name: 'va', group: 'storage.k8s.io', kind: 'volumeattachments' },
    });
    expect((await asRobot('DELETE', configMaps)).body).toMatchObject({
      message: `configmaps is forbidden: ${who} deletecollection resource "configmaps" in API group "" in the namespace "default"`,
    });
    expect((await asRobot('GET', '/metrics')).body).toMatchObject({ message: `forbidden: ${who} get path "/metrics"` });
  });

  it('is refused alike whether or not there is such a thing', async () => {
    expect((await asRobot('GET', `${configMaps}/none`)).status).toBe(403);
    expect((await asRobot('GET', '/apis/example.org/v1/nowhere')).status).toBe(403);
    expect((await api.call('GET', '/apis/example.org/v1/nowhere')).status).toBe(404);
  });

  it('says which role its binding looks for in vain', async () => {
    const roleRef = { kind: 'ClusterRole', name: 'gone' };
    await post(`${rbac}/clusterrolebindings`, { metadata: { name: 'b' }, subjects: [robot], roleRef });
    expect((await asRobot('GET', claims)).body['message']).toMatch(
      /in the namespace "default": RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found$/,
    );
  });
});

describe('a role', () => {
  it('allows what it says, wherever a cluster role is bound to the cluster', async () => {
    await mayRobot(rule(['get', 'list'], 'persistentvolumeclaims'));
    expect((await asRobot('GET', claims)).status).toBe(200);
    expect((await asRobot('GET', '/api/v1/persistentvolumeclaims')).status).toBe(200);
    expect((await asRobot('GET', `${claims}?watch=true`)).status).toBe(403);
    expect((await asRobot('POST', claims, {})).status).toBe(403);
  });

  it('allows within its namespace alone when it is bound there', async () => {
    await post('/api/v1/namespaces', { metadata: { name: 'other' } });
    const own = { metadata: { name: 'own' }, rules: [rule(['get', 'list'], 'configmaps')] };
    await post(`${rbac}/namespaces/default/roles`, own);
    await post(`${rbac}/namespaces/default/rolebindings`, {
      metadata: { name: 'own' },
      // An account without a namespace is of the binding's.
      subjects: [{ kind: 'ServiceAccount', name: 'robot' }],
      roleRef: { kind: 'Role', name: 'own' },
    });
    await post(`${rbac}/namespaces/other/rolebindings`, {
      metadata: { name: 'view' },
      subjects: [{ kind: 'Group', name: 'system:serviceaccounts:default' }],
      roleRef: { kind: 'ClusterRole', name: 'view' },
    });
    expect((await asRobot('GET', configMaps)).status).toBe(200);
    expect((await asRobot('GET', claims)).status).toBe(403);
    expect((await asRobot('GET', '/api/v1/namespaces/other/persistentvolumeclaims')).status).toBe(200);
    expect((await asRobot('GET', '/api/v1/namespaces/other/secrets')).status).toBe(403);
    expect((await asRobot('GET', '/api/v1/configmaps')).status).toBe(403);
  });

  it('allows from the moment it is bound to the moment it is taken away', async () => {
    expect((await asRobot('GET', claims)).status).toBe(403);
    await mayRobot(rule(['list'], 'persistentvolumeclaims'));
    expect((await asRobot('GET', claims)).status).toBe(200);
    await api.call('DELETE', `${rbac}/clusterrolebindings/robot`);
    expect((await asRobot('GET', claims)).status).toBe(403);
  });

  it('needs to allow create where an apply would create', async () => {
    await mayRobot(rule(['patch'], 'configmaps'));
    const apply = (): Promise<RawReply> =>
      asRobot(
        'PATCH',
        `${configMaps}/cm?fieldManager=robot`,
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm' } },
        { 'content-type': 'application/apply-patch+yaml' },
      );
    expect((await apply()).body).toMatchObject({
      code: 403,
      message:
        'configmaps "cm" is forbidden: User "system:serviceaccount:default:robot" cannot create resource "configmaps" in API group "" in the namespace "default"',
    });
    await post(configMaps, { metadata: { name: 'cm' } });
    expect((await apply()).status).toBe(200);
  });

  it('needs to allow create where an update would create', async () => {
    await mayRobot({ verbs: ['update'], apiGroups: ['coordination.k8s.io'], resources: ['leases'] });
    const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases/l';
    const put = await asRobot('PUT', path, { metadata: { name: 'l' }, spec: {} });
    expect(put.body['message']).toMatch(/cannot create resource "leases"/);
  });
});

describe('what a cluster begins with', () => {
  it('lets whoever has logged in discover the API and ask about themselves', async () => {
    for (const path of ['/api', '/apis', '/apis/storage.k8s.io/v1', '/openapi/v3', '/version', '/readyz'])
      expect([path, (await asRobot('GET', path)).status]).toEqual([path, 200]);
    expect((await asRobot('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {})).status).toBe(201);
    expect((await asRobot('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {})).status).toBe(403);
  });

  it('lets anybody know the version, and nothing more', async () => {
    const anonymous = { authorization: '' };
    expect((await api.call('GET', '/version', undefined, anonymous)).status).toBe(200);
    expect((await api.call('GET', '/api', undefined, anonymous)).body).toMatchObject({
      code: 403,
      message: 'forbidden: User "system:anonymous" cannot get path "/api"',
    });
  });

  it('has the roles of people', async () => {
    const roleRef = { kind: 'ClusterRole', name: 'edit' };
    await post(`${rbac}/namespaces/default/rolebindings`, { metadata: { name: 'edit' }, subjects: [robot], roleRef });
    expect((await asRobot('POST', configMaps, { metadata: { name: 'cm' } })).status).toBe(201);
    expect((await asRobot('GET', '/api/v1/namespaces/default/secrets')).status).toBe(200);
    expect((await asRobot('GET', `${rbac}/namespaces/default/roles`)).status).toBe(403);
    expect((await asRobot('PATCH', '/api/v1/namespaces/default/pods/p/status', {})).status).toBe(403);
  });
});

describe('acting as another', () => {
  const whoami = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const as = async (headers: Record<string, string>): Promise<unknown> =>
    objectAt((await api.call('POST', whoami, {}, headers)).body, 'status', 'userInfo');

  it('is for whoever may impersonate, and brings the groups along', async () => {
    expect(await as({ 'impersonate-user': 'jane' })).toEqual({ username: 'jane', groups: ['system:authenticated'] });
    expect(await as({ 'impersonate-user': 'system:serviceaccount:default:robot' })).toMatchObject({
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    });
    expect(await as({ 'impersonate-user': 'jane', 'impersonate-group': 'a', 'impersonate-extra-scopes': 'b' })).toEqual(
      {
        username: 'jane',
        groups: ['a', 'system:authenticated'],
        extra: { scopes: ['b'] },
      },
    );
    const { status } = await api.call('GET', claims, undefined, { 'impersonate-user': 'jane' });
    expect(status).toBe(403);
    expect((await api.call('GET', claims, undefined, { 'impersonate-group': 'a' })).status).toBe(400);
  });

  it('takes a role', async () => {
    expect((await asRobot('POST', whoami, {}, { 'impersonate-user': 'jane' })).body['message']).toBe(
      'users "jane" is forbidden: User "system:serviceaccount:default:robot" cannot impersonate resource "users" in API group "" at the cluster scope',
    );
    await mayRobot({ verbs: ['impersonate'], apiGroups: [''], resources: ['users'], resourceNames: ['jane'] });
    expect((await asRobot('POST', whoami, {}, { 'impersonate-user': 'jane' })).status).toBe(201);
    const asMaster = { 'impersonate-user': 'jane', 'impersonate-group': 'system:masters' };
    expect((await asRobot('POST', whoami, {}, asMaster)).body['message']).toMatch(
      /cannot impersonate resource "groups"/,
    );
  });
});

describe('a review', () => {
  const own = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const others = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  const asked = { verb: 'list', resource: 'persistentvolumeclaims' };

  it('says whether I may, and by what', async () => {
    const ask = async (spec: JsonObject): Promise<unknown> =>
      objectAt((await asRobot('POST', own, { spec })).body, 'status');
    expect(await ask({ resourceAttributes: asked })).toEqual({ allowed: false });
    await mayRobot(rule(['list'], 'persistentvolumeclaims'));
    expect(await ask({ resourceAttributes: asked })).toEqual({
      allowed: true,
      reason: 'RBAC: allowed by ClusterRoleBinding "robot" of ClusterRole "robot" to ServiceAccount "robot/default"',
    });
    expect(await ask({ resourceAttributes: { ...asked, subresource: 'status' } })).toEqual({ allowed: false });
    expect(await ask({ nonResourceAttributes: { verb: 'get', path: '/metrics' } })).toEqual({ allowed: false });
  });

  it('says whether another may', async () => {
    await mayRobot(rule(['list'], 'persistentvolumeclaims'));
    const spec = { resourceAttributes: asked, user: 'system:serviceaccount:default:robot' };
    expect((await api.call('POST', others, { spec })).body).toMatchObject({ status: { allowed: true } });
    expect((await api.call('POST', others, { spec: { ...spec, user: 'jane' } })).body).toMatchObject({
      status: { allowed: false },
    });
    expect(
      (await api.call('POST', others, { spec: { resourceAttributes: asked, groups: ['system:masters'] } })).body,
    ).toMatchObject({ status: { allowed: true } });
    const local = '/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews';
    const here = { ...spec, resourceAttributes: { ...asked, namespace: 'default' } };
    expect((await api.call('POST', local, { metadata: { namespace: 'default' }, spec: here })).body).toMatchObject({
      status: { allowed: true },
    });
  });

  it.each([
    ['of nothing', own, {}, /spec.resourceAttributes: Invalid value: null: exactly one of/],
    [
      'of two things',
      own,
      { resourceAttributes: asked, nonResourceAttributes: { path: '/' } },
      /cannot be specified in combination with resourceAttributes/,
    ],
    ['of nobody', others, { resourceAttributes: asked }, /spec.user: Invalid value: "": at least one of user or group/],
  ])('%s is refused', async (_, path, spec, message) => {
    const { status, body } = await api.call('POST', path, { spec });
    expect(status).toBe(422);
    expect(body['message']).toMatch(message);
  });

  it('lists what I may', async () => {
    await mayRobot(rule(['list'], 'persistentvolumeclaims'));
    const path = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews';
    expect((await asRobot('POST', path, { spec: { namespace: 'default' } })).body).toMatchObject({
      status: {
        incomplete: false,
        resourceRules: expect.arrayContaining([rule(['list'], 'persistentvolumeclaims')]),
        nonResourceRules: expect.arrayContaining([expect.objectContaining({ verbs: ['get'] })]),
      },
    });
    expect((await asRobot('POST', path, { spec: {} })).status).toBe(400);
  });

  it('says whose token it is', async () => {
    const path = '/apis/authentication.k8s.io/v1/tokenreviews';
    const token = authorization.replace('Bearer ', '');
    expect((await api.call('POST', path, { spec: { token } })).body).toMatchObject({
      status: { authenticated: true, user: { username: 'system:serviceaccount:default:robot' } },
    });
    expect((await api.call('POST', path, { spec: { token: 'x' } })).body['status']).toEqual({
      user: {},
      error: 'invalid bearer token',
    });
    expect((await api.call('POST', path, { spec: { token, audiences: ['vault'] } })).body['status']).toEqual({
      user: {},
      error: `[invalid bearer token, token audiences ["${issuer}"] is invalid for the target audiences ["vault"]]`,
    });
  });
});

describe('a role or a binding', () => {
  const base = { metadata: { name: 'x' } };
  const roleRef = { kind: 'ClusterRole', name: 'view' };
  it.each([
    ['a rule without verbs', 'clusterroles', { rules: [rule([], 'pods')] }, 'rules[0].verbs: Required value'],
    ['a rule of nothing', 'clusterroles', { rules: [{ verbs: ['get'] }] }, 'rules[0].apiGroups: Required value'],
    [
      'paths and resources in one rule',
      'clusterroles',
      { rules: [{ ...rule(['get'], 'pods'), nonResourceURLs: ['/x'] }] },
      'rules cannot apply to both regular resources and non-resource URLs',
    ],
    [
      'paths in a namespace',
      'namespaces/default/roles',
      { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] },
      'namespaced rules cannot apply to non-resource URLs',
    ],
    [
      'a role bound to the cluster',
      'clusterrolebindings',
      { roleRef: { kind: 'Role', name: 'x' } },
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
    ],
    [
      'a binding to no role',
      'clusterrolebindings',
      { roleRef: { kind: 'ClusterRole', name: '' } },
      'roleRef.name: Required',
    ],
    [
      'an account of no namespace, for the cluster',
      'clusterrolebindings',
      { roleRef, subjects: [{ kind: 'ServiceAccount', name: 'x' }] },
      'subjects[0].namespace: Required value',
    ],
    [
      'a subject of no kind',
      'clusterrolebindings',
      { roleRef, subjects: [{ kind: 'Robot', name: 'x' }] },
      'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
    ],
  ])('is refused with %s', async (_, where, content, message) => {
    const { status, body } = await api.call('POST', `${rbac}/${where}`, { ...base, ...content });
    expect(status).toBe(422);
    expect(body['message']).toContain(message);
  });

  it('fills in the group of its role and subjects, and never changes its role', async () => {
    const binding = { ...base, roleRef, subjects: [{ kind: 'User', name: 'jane' }] };
    const path = `${rbac}/clusterrolebindings`;
    expect(await post(path, binding)).toMatchObject({
      roleRef: { ...roleRef, apiGroup: 'rbac.authorization.k8s.io' },
      subjects: [{ kind: 'User', name: 'jane', apiGroup: 'rbac.authorization.k8s.io' }],
    });
    const moved = await api.patch(`${path}/x`, 'merge', { roleRef: { name: 'edit' } });
    expect(moved.status).toBe(422);
    expect(moved.body['message']).toMatch(/roleRef: Invalid value: .*: cannot change roleRef/);
  });
});
