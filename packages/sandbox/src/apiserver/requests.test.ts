import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawApi, startRawApi } from '../testing/raw-api.ts';
import type { JsonObject, JsonValue } from './json.ts';

let api: RawApi;
beforeAll(async () => {
  api = await startRawApi();
  const post = async (path: string, body: JsonObject): Promise<void> => {
    const { status, body: reply } = await api.call('POST', path, body);
    if (status !== 201) throw new Error(JSON.stringify(reply));
  };
  await post(classes, { metadata: { name: 'fast' }, provisioner: 'disk.csi.holdfast', allowVolumeExpansion: true });
  await post(classes, { metadata: { name: 'fixed' }, provisioner: 'disk.csi.holdfast' });
  for (const [name, storageClassName] of [
    ['bound', 'fast'],
    ['fixed', 'fixed'],
    ['pending', 'fast'],
  ] as const) {
    await post(claims, claim({ name }, { storageClassName }));
    if (name === 'pending') continue;
    const status = { phase: 'Bound', capacity: { storage: '1Gi' } };
    await api.patch(`${claims}/${name}/status`, 'merge', { status });
  }
  await api.patch(`${claims}/bound`, 'merge', { spec: { resources: { requests: { storage: '3Gi' } } } });
  await post(volumes, volume('pv'));
  await post(attachments, attachment('va'));
  await post('/apis/storage.k8s.io/v1/csinodes', {
    metadata: { name: 'n1' },
    spec: { drivers: [{ name: 'a.csi', nodeID: 'n1', topologyKeys: ['zone'] }] },
  });
});
afterAll(() => api.stop());

const claims = '/api/v1/namespaces/default/persistentvolumeclaims';
const volumes = '/api/v1/persistentvolumes';
const classes = '/apis/storage.k8s.io/v1/storageclasses';
const attachments = '/apis/storage.k8s.io/v1/volumeattachments';
const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
const pods = '/api/v1/namespaces/default/pods';

function claim(metadata: JsonObject, spec: JsonObject = {}): JsonObject {
  return { metadata, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec } };
}

function volume(name: string, spec: JsonObject = {}): JsonObject {
  const csi = { driver: 'disk.csi.holdfast', volumeHandle: 'v-1' };
  return { metadata: { name }, spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], csi, ...spec } };
}

function attachment(name: string): JsonObject {
  return { metadata: { name }, spec: { attacher: 'a.csi', nodeName: 'n1', source: { persistentVolumeName: 'pv' } } };
}

function sized(storage: JsonValue): JsonObject {
  return { spec: { resources: { requests: { storage } } } };
}

interface Case {
  readonly asks: string;
  readonly method: string;
  readonly path: string;
  readonly body?: JsonValue | string;
  readonly headers?: Record<string, string>;
  readonly status: number;
  readonly reason?: string;
  readonly message?: string;
}

const merge = { 'content-type': 'application/merge-patch+json' };
const jsonPatch = { 'content-type': 'application/json-patch+json' };

const refused: readonly Case[] = [
  {
    asks: 'an owner without a uid',
    method: 'POST',
    path: '/api/v1/namespaces/default/configmaps',
    body: { metadata: { name: 'x', ownerReferences: [{ apiVersion: 'v1', kind: 'A', name: 'a' }] } },
    status: 422,
    reason: 'Invalid',
    message: 'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
  },
  {
    asks: 'data under a key that is no file name',
    method: 'POST',
    path: '/api/v1/namespaces/default/secrets',
    body: { metadata: { name: 'x' }, data: { 'a b': '' } },
    status: 422,
    reason: 'Invalid',
    message: 'data[a b]: Invalid value',
  },
  {
    asks: 'an update of a version that is no number',
    method: 'PUT',
    path: '/apis/coordination.k8s.io/v1/namespaces/default/leases/x',
    body: { metadata: { name: 'x', resourceVersion: 'soon' } },
    status: 500,
    message: 'strconv.ParseUint: parsing "soon": invalid syntax',
  },
  {
    asks: 'an unknown path',
    method: 'GET',
    path: '/apis/storage.k8s.io/v1/things',
    status: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
  },
  {
    asks: 'an unknown kind',
    method: 'GET',
    path: '/api/v1/namespaces/default/widgets',
    status: 404,
    reason: 'NotFound',
  },
  {
    asks: 'an unknown name',
    method: 'GET',
    path: `${classes}/slow`,
    status: 404,
    reason: 'NotFound',
    message: 'storageclasses.storage.k8s.io "slow" not found',
  },
  {
    asks: 'a subresource a kind has not',
    method: 'GET',
    path: `${classes}/fast/status`,
    status: 404,
    reason: 'NotFound',
  },
  {
    asks: 'a method a collection has not',
    method: 'PUT',
    path: claims,
    body: {},
    status: 405,
    reason: 'MethodNotAllowed',
  },
  {
    asks: 'with an unknown token',
    method: 'GET',
    path: claims,
    headers: { authorization: 'Bearer other' },
    status: 401,
    reason: 'Unauthorized',
  },
  { asks: 'with a body that is not JSON', method: 'POST', path: claims, body: '{', status: 400, reason: 'BadRequest' },
  {
    asks: 'with a body of an unknown type',
    method: 'POST',
    path: claims,
    body: 'x',
    headers: { 'content-type': 'text/csv' },
    status: 415,
    reason: 'UnsupportedMediaType',
  },
  {
    asks: 'for a format it does not have',
    method: 'GET',
    path: claims,
    headers: { accept: 'application/xml' },
    status: 406,
    reason: 'NotAcceptable',
  },
  {
    asks: 'with an object of another kind',
    method: 'POST',
    path: claims,
    body: { kind: 'Pod', apiVersion: 'v1' },
    status: 400,
    reason: 'BadRequest',
  },
  {
    asks: 'with labels that are no text',
    method: 'POST',
    path: claims,
    body: claim({ name: 'x', labels: { a: 1 } }),
    status: 400,
    message: 'metadata.labels of type string',
  },
  {
    asks: 'for another namespace than the URL',
    method: 'POST',
    path: claims,
    body: claim({ name: 'x', namespace: 'other' }),
    status: 400,
    message: 'does not match the namespace sent on the request',
  },
  {
    asks: 'for a namespace that is not there',
    method: 'POST',
    path: claims.replace('default', 'gone'),
    body: claim({ name: 'x' }),
    status: 404,
    message: 'namespaces "gone" not found',
  },
  {
    asks: 'a name that is no DNS name',
    method: 'POST',
    path: claims,
    body: claim({ name: '../etc' }),
    status: 422,
    reason: 'Invalid',
    message: 'metadata.name: Invalid value: "../etc": a lowercase RFC 1123 subdomain',
  },
  {
    asks: 'no name',
    method: 'POST',
    path: claims,
    body: claim({}),
    status: 422,
    message: 'metadata.name: Required value: name or generateName is required',
  },
  {
    asks: 'a name that is taken',
    method: 'POST',
    path: claims,
    body: claim({ name: 'bound' }),
    status: 409,
    reason: 'AlreadyExists',
    message: 'persistentvolumeclaims "bound" already exists',
  },
  {
    asks: 'a finalizer without a domain',
    method: 'POST',
    path: claims,
    body: claim({ name: 'x', finalizers: ['mine'] }),
    status: 422,
    message: 'neither a standard finalizer name nor is it fully qualified',
  },
  {
    asks: 'a claim of nothing',
    method: 'POST',
    path: claims,
    body: claim({ name: 'x' }, { resources: { requests: { storage: '0' } } }),
    status: 422,
    message: 'spec.resources[storage]: Invalid value: "0": must be greater than zero',
  },
  {
    asks: 'a claim without a size',
    method: 'POST',
    path: claims,
    body: claim({ name: 'x' }, { resources: {} }),
    status: 422,
    message: 'spec.resources[storage]: Required value',
  },
  {
    asks: 'a claim without access modes',
    method: 'POST',
    path: claims,
    body: claim({ name: 'x' }, { accessModes: [] }),
    status: 422,
    message: 'spec.accessModes: Required value: at least 1 access mode is required',
  },
  {
    asks: 'an access mode there is not',
    method: 'POST',
    path: claims,
    body: claim({ name: 'x' }, { accessModes: ['Any'] }),
    status: 422,
    message: 'spec.accessModes: Unsupported value: "Any"',
  },
  {
    asks: 'ReadWriteOncePod with another mode',
    method: 'POST',
    path: claims,
    body: claim({ name: 'x' }, { accessModes: ['ReadWriteOncePod', 'ReadWriteOnce'] }),
    status: 422,
    message: 'may not use ReadWriteOncePod with other access modes',
  },
  {
    asks: 'a size that is no quantity',
    method: 'POST',
    path: claims,
    body: claim({ name: 'x' }, { resources: { requests: { storage: '1.5x' } } }),
    status: 400,
    reason: 'BadRequest',
  },
  {
    asks: 'another class of a claim',
    method: 'PATCH',
    path: `${claims}/bound`,
    body: { spec: { storageClassName: 'fixed' } },
    headers: merge,
    status: 422,
    message: 'spec: Forbidden: spec is immutable after creation',
  },
  {
    asks: 'a larger size while pending',
    method: 'PATCH',
    path: `${claims}/pending`,
    body: sized('2Gi'),
    headers: merge,
    status: 422,
    message: 'spec is immutable after creation',
  },
  {
    asks: 'a larger size of a class that cannot grow',
    method: 'PATCH',
    path: `${claims}/fixed`,
    body: sized('2Gi'),
    headers: merge,
    status: 403,
    reason: 'Forbidden',
    message: 'the storageclass that provisions the pvc must support resize',
  },
  {
    asks: 'a size of what there is already',
    method: 'PATCH',
    path: `${claims}/bound`,
    body: sized('1Gi'),
    headers: merge,
    status: 422,
    message: 'field can not be less than status.capacity',
  },
  {
    asks: 'a stale write',
    method: 'PATCH',
    path: `${claims}/bound`,
    body: { metadata: { resourceVersion: '1' } },
    headers: merge,
    status: 409,
    reason: 'Conflict',
    message: 'the object has been modified',
  },
  {
    asks: 'a write to an object of old',
    method: 'PATCH',
    path: `${claims}/bound`,
    body: { metadata: { uid: 'old' } },
    headers: merge,
    status: 422,
    message: 'metadata.uid: Invalid value: "old": field is immutable',
  },
  {
    asks: 'a rename',
    method: 'PATCH',
    path: `${claims}/bound`,
    body: { metadata: { name: 'other' } },
    headers: merge,
    status: 400,
    message: 'does not match the name on the URL',
  },
  {
    asks: 'a patch of an unknown type',
    method: 'PATCH',
    path: `${claims}/bound`,
    body: {},
    status: 415,
    reason: 'UnsupportedMediaType',
  },
  {
    asks: 'a JSON patch whose test fails',
    method: 'PATCH',
    path: `${claims}/bound`,
    body: [{ op: 'test', path: '/metadata/name', value: 'x' }],
    headers: jsonPatch,
    status: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
  },
  {
    asks: 'a JSON patch of a path that is not there',
    method: 'PATCH',
    path: `${claims}/bound`,
    body: [{ op: 'remove', path: '/metadata/labels/x' }],
    headers: jsonPatch,
    status: 422,
  },
  {
    asks: 'a JSON patch that is none',
    method: 'PATCH',
    path: `${claims}/bound`,
    body: { op: 'add' },
    headers: jsonPatch,
    status: 400,
  },
  {
    asks: 'a merge patch that is a list',
    method: 'PATCH',
    path: `${claims}/bound`,
    body: [],
    headers: merge,
    status: 400,
  },
  {
    asks: 'a patch of what is not there',
    method: 'PATCH',
    path: `${claims}/none`,
    body: {},
    headers: merge,
    status: 404,
  },
  {
    asks: 'a volume without a source',
    method: 'POST',
    path: volumes,
    body: volume('x', { csi: null }),
    status: 422,
    message: 'spec: Required value: must specify a volume type',
  },
  {
    asks: 'a volume without a handle',
    method: 'POST',
    path: volumes,
    body: volume('x', { csi: { driver: 'd' } }),
    status: 422,
    message: 'spec.csi.volumeHandle: Required value',
  },
  {
    asks: 'a volume with two sources',
    method: 'POST',
    path: volumes,
    body: volume('x', { hostPath: { path: '/' } }),
    status: 422,
    message: 'may not specify more than 1 volume type',
  },
  {
    asks: 'another handle of a volume',
    method: 'PATCH',
    path: `${volumes}/pv`,
    body: { spec: { csi: { volumeHandle: 'v-2' } } },
    headers: merge,
    status: 422,
    message: 'spec.persistentvolumesource is immutable after creation',
  },
  {
    asks: 'another volume mode',
    method: 'PATCH',
    path: `${volumes}/pv`,
    body: { spec: { volumeMode: 'Block' } },
    headers: merge,
    status: 422,
    message: 'volumeMode: Invalid value: "Block": field is immutable',
  },
  {
    asks: 'a class without a provisioner',
    method: 'POST',
    path: classes,
    body: { metadata: { name: 'x' } },
    status: 422,
    message: 'StorageClass.storage.k8s.io "x" is invalid: provisioner: Required value',
  },
  {
    asks: 'another provisioner of a class',
    method: 'PATCH',
    path: `${classes}/fast`,
    body: { provisioner: 'b' },
    headers: merge,
    status: 422,
    message: 'provisioner: Invalid value: "b": field is immutable',
  },
  {
    asks: 'another node of an attachment',
    method: 'PATCH',
    path: `${attachments}/va`,
    body: { spec: { nodeName: 'n2' } },
    headers: merge,
    status: 422,
    message: 'field is immutable',
  },
  {
    asks: 'a PUT that does not say of which state',
    method: 'PUT',
    path: `${attachments}/va`,
    body: attachment('va'),
    status: 422,
    message: 'metadata.resourceVersion: Invalid value: 0: must be specified for an update',
  },
  {
    asks: 'another id of a node in place',
    method: 'PATCH',
    path: '/apis/storage.k8s.io/v1/csinodes/n1',
    body: { spec: { drivers: [{ name: 'a.csi', nodeID: 'n2' }] } },
    headers: merge,
    status: 422,
    message: 'field is immutable',
  },
  {
    asks: 'a lease that lasts no time',
    method: 'POST',
    path: leases,
    body: { metadata: { name: 'x' }, spec: { leaseDurationSeconds: 0 } },
    status: 422,
    message: 'must be greater than 0',
  },
  {
    asks: 'a pod without containers',
    method: 'POST',
    path: pods,
    body: { metadata: { name: 'x' }, spec: {} },
    status: 422,
    message: 'spec.containers: Required value',
  },
  {
    asks: 'a mount of a volume that is not there',
    method: 'POST',
    path: pods,
    body: {
      metadata: { name: 'x' },
      spec: { containers: [{ name: 'c', image: 'i', volumeMounts: [{ name: 'v', mountPath: '/v' }] }] },
    },
    status: 422,
    message: 'volumeMounts[0].name: Not found: "v"',
  },
  {
    asks: 'a selector of an unknown field',
    method: 'GET',
    path: `${attachments}?fieldSelector=spec.attacher%3Dx`,
    status: 400,
    message: '"spec.attacher" is not a known field selector',
  },
  {
    asks: 'a label selector that is none',
    method: 'GET',
    path: `${claims}?labelSelector=a%20b`,
    status: 400,
    message: 'unable to parse requirement',
  },
  {
    asks: 'a dry run there is not',
    method: 'POST',
    path: `${claims}?dryRun=Some`,
    body: claim({ name: 'x' }),
    status: 422,
    message: 'dryRun: Unsupported value',
  },
  {
    asks: 'a delete of another object of that name',
    method: 'DELETE',
    path: `${claims}/bound`,
    body: { preconditions: { uid: 'other' } },
    status: 409,
    message: 'the UID in the precondition (other) does not match the UID in record',
  },
  {
    asks: 'a delete of another state',
    method: 'DELETE',
    path: `${claims}/bound`,
    body: { preconditions: { resourceVersion: '1' } },
    status: 409,
    reason: 'Conflict',
  },
];

describe('a request that is refused', () => {
  it.each(refused)('$asks: $status', async ({ method, path, body, headers, status, reason, message }) => {
    const before = api.server.storage.revision;
    const reply = await api.call(method, path, body, headers);
    expect(reply.body).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status });
    expect(reply.status).toBe(status);
    if (reason !== undefined) expect(reply.body['reason']).toBe(reason);
    if (message !== undefined) expect(reply.body['message']).toContain(message);
    expect(api.server.storage.revision).toBe(before);
  });

  it('names every cause of a 422', async () => {
    const { body } = await api.call('POST', claims, claim({ name: 'x' }, { accessModes: [], resources: {} }));
    expect(body['details']).toEqual({
      name: 'x',
      kind: 'PersistentVolumeClaim',
      causes: [
        {
          reason: 'FieldValueRequired',
          message: 'Required value: at least 1 access mode is required',
          field: 'spec.accessModes',
        },
        { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.resources[storage]' },
      ],
    });
  });

  it('lets a failed growth be taken back to above what there is', async () => {
    const { status } = await api.patch(`${claims}/bound`, 'merge', sized('1025Mi'));
    expect(status).toBe(200);
  });
});
