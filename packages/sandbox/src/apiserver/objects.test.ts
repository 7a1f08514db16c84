import { createFakeClock } from '@holdfast/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RawApi, startRawApi } from '../testing/raw-api.ts';
import { isObject, type JsonObject, type JsonValue, objectAt, stringAt, valueAt } from './json.ts';

let api: RawApi;
const clock = createFakeClock(Date.parse('2026-01-02T03:04:05Z'));
beforeEach(async () => {
  api = await startRawApi({ clock });
});
afterEach(() => api.stop());

const claims = '/api/v1/namespaces/default/persistentvolumeclaims';
const classes = '/apis/storage.k8s.io/v1/storageclasses';
const attachments = '/apis/storage.k8s.io/v1/volumeattachments';
const pods = '/api/v1/namespaces/default/pods';

function claim(metadata: JsonObject): JsonObject {
  return { metadata, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } } } };
}
const attachment = {
  metadata: { name: 'va' },
  spec: { attacher: 'a', nodeName: 'n', source: { persistentVolumeName: 'p' } },
};
const pod = { metadata: { name: 'web' }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'busybox' }] } };

async function post(path: string, body: JsonObject): Promise<JsonObject> {
  const reply = await api.call('POST', path, body);
  expect(reply.status).toBe(201);
  return reply.body;
}

async function get(path: string): Promise<JsonObject> {
  return (await api.call('GET', path)).body;
}

describe('what the server fills in', () => {
  it('makes a claim whole', async () => {
    await post(classes, { metadata: { name: 'other' }, provisioner: 'p' });
    await post(classes, {
      metadata: { name: 'usual', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'p',
    });
    const made = await post(claims, {
      ...claim({ name: 'data', creationTimestamp: null }),
      status: { phase: 'Bound' },
    });
    expect(valueAt(made, 'metadata', 'managedFields')).toMatchObject([{ manager: 'node', operation: 'Update' }]);
    expect({ ...made, metadata: { ...objectAt(made, 'metadata'), managedFields: undefined } }).toEqual({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name: 'data',
        namespace: 'default',
        uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
        resourceVersion: String(api.server.storage.revision),
        creationTimestamp: '2026-01-02T03:04:05Z',
        finalizers: ['kubernetes.io/pvc-protection'],
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        storageClassName: 'usual',
        volumeMode: 'Filesystem',
      },
      status: { phase: 'Pending' },
    });
  });

  it('leaves a claim without a class alone when it says so', async () => {
    await post(classes, {
      metadata: { name: 'usual', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'p',
    });
    const made = claim({ name: 'data' });
    const spec = { ...objectAt(made, 'spec'), storageClassName: '' };
    expect(stringAt(await post(claims, { ...made, spec }), 'spec', 'storageClassName')).toBe('');
  });

  it('defaults a class, a volume, a driver and a pod', async () => {
    expect(await post(classes, { metadata: { name: 'c' }, provisioner: 'p' })).toMatchObject({
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'Immediate',
    });
    const csi = { driver: 'd', volumeHandle: 'h' };
    const volume = {
      metadata: { name: 'v' },
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], csi },
    };
    expect(await post('/api/v1/persistentvolumes', volume)).toMatchObject({
      metadata: { finalizers: ['kubernetes.io/pv-protection'] },
      spec: { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' },
      status: { phase: 'Pending' },
    });
    expect(await post('/apis/storage.k8s.io/v1/csidrivers', { metadata: { name: 'd' }, spec: {} })).toMatchObject({
      spec: { attachRequired: true, fsGroupPolicy: 'ReadWriteOnceWithFSType', volumeLifecycleModes: ['Persistent'] },
    });
    expect(await post(pods, pod)).toMatchObject({
      metadata: { generation: 1 },
      spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, containers: [{ imagePullPolicy: 'Always' }] },
      status: { phase: 'Pending' },
    });
  });

  it('keeps the status a node registers with', async () => {
    const made = await post('/api/v1/nodes', { metadata: { name: 'n' }, status: { capacity: { pods: '110' } } });
    expect(made['status']).toMatchObject({ capacity: { pods: '110' }, allocatable: { pods: '110' } });
    const { body } = await api.patch('/api/v1/nodes/n', 'merge', { status: { capacity: { pods: '1' } } });
    expect(body['status']).toEqual(made['status']);
  });

  it('says in both fields what a claim is filled from', async () => {
    const source = { kind: 'PersistentVolumeClaim', name: 'other' };
    const asked = claim({ name: 'copy' });
    const made = await post(claims, { ...asked, spec: { ...objectAt(asked, 'spec'), dataSource: source } });
    expect(made['spec']).toMatchObject({ dataSource: source, dataSourceRef: source });
  });

  it('generates names that differ, from a prefix it cuts', async () => {
    const prefix = `${'p'.repeat(70)}-`;
    const names = new Set<unknown>();
    for (let count = 0; count < 5; count++) {
      const made = await post(claims, claim({ generateName: prefix }));
      names.add(valueAt(made, 'metadata', 'name'));
    }
    expect(names.size).toBe(5);
    for (const name of names) expect(name).toMatch(/^p{58}[b-z2-9]{5}$/);
  });

  it('folds the plain text of a secret into its data', async () => {
    const made = await post('/api/v1/namespaces/default/secrets', {
      metadata: { name: 's' },
      stringData: { key: 'value' },
    });
    expect(made).toMatchObject({ type: 'Opaque', data: { key: 'dmFsdWU=' } });
    expect(made['stringData']).toBeUndefined();
  });
});

describe('the status subresource', () => {
  it('keeps spec and status apart, both ways', async () => {
    await post(claims, claim({ name: 'data' }));
    const main = await api.patch(`${claims}/data`, 'merge', {
      metadata: { labels: { a: 'b' } },
      status: { phase: 'Bound' },
    });
    expect(main.body).toMatchObject({ metadata: { labels: { a: 'b' } }, status: { phase: 'Pending' } });
    const body = { spec: { volumeName: 'v' }, status: { phase: 'Bound' }, metadata: { annotations: { c: 'd' } } };
    const status = await api.patch(`${claims}/data/status`, 'merge', body);
    expect(status.body).toMatchObject({ status: { phase: 'Bound' }, metadata: { annotations: { c: 'd' } } });
    expect(valueAt(status.body, 'spec', 'volumeName')).toBeUndefined();
  });

  it('keeps the metadata of an attachment out of its status, finalizers too', async () => {
    await post(attachments, attachment);
    const body = { metadata: { finalizers: ['a.b/c'], annotations: { x: 'y' } }, status: { attached: true } };
    const { body: after } = await api.patch(`${attachments}/va/status`, 'merge', body);
    expect(after).toMatchObject({ status: { attached: true } });
    expect(valueAt(after, 'metadata', 'finalizers')).toBeUndefined();
    expect(valueAt(after, 'metadata', 'annotations')).toBeUndefined();
  });

  it('stamps the time a volume changes its phase', async () => {
    const csi = { driver: 'd', volumeHandle: 'h' };
    const spec = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], csi };
    await post('/api/v1/persistentvolumes', { metadata: { name: 'v' }, spec });
    await clock.advance(60_000);
    const { body } = await api.patch('/api/v1/persistentvolumes/v/status', 'merge', { status: { phase: 'Bound' } });
    expect(body['status']).toEqual({
      phase: 'Bound',
      lastPhaseTransitionTime: new Date(clock.nowMs()).toISOString().replace('.000', ''),
    });
  });
});

describe('resource versions', () => {
  it('are one counter, and a write that changes nothing takes none', async () => {
    const first = await post(claims, claim({ name: 'a' }));
    const second = await post(classes, { metadata: { name: 'c' }, provisioner: 'p' });
    const version = (object: JsonObject): number => Number(stringAt(object, 'metadata', 'resourceVersion'));
    expect(version(second)).toBe(version(first) + 1);
    const same = await api.patch(`${classes}/c`, 'merge', { provisioner: 'p' });
    expect(version(same.body)).toBe(version(second));
    const put = await api.call('PUT', `${classes}/c`, same.body);
    expect(put.status).toBe(200);
    expect(version(put.body)).toBe(version(second));
  });

  it('are taken by the first write of a claim, which upstream stores without its phase at first', async () => {
    const first = await post(claims, claim({ name: 'a' }));
    const write = async (): Promise<unknown> =>
      stringAt((await api.patch(`${claims}/a`, 'merge', {})).body, 'metadata', 'resourceVersion');
    const second = await write();
    expect(second).not.toBe(stringAt(first, 'metadata', 'resourceVersion'));
    expect(await write()).toBe(second);
  });

  it('refuse a PUT of a state that is no more', async () => {
    const first = await post(claims, claim({ name: 'a' }));
    await api.patch(`${claims}/a`, 'merge', { metadata: { labels: { a: 'b' } } });
    const stale = await api.call('PUT', `${claims}/a`, first);
    expect(stale.body).toMatchObject({ code: 409, reason: 'Conflict' });
  });

  it('are not taken by a dry run', async () => {
    const before = api.server.storage.revision;
    const reply = await api.call('POST', `${claims}?dryRun=All`, claim({ name: 'a' }));
    expect(reply.status).toBe(201);
    expect(stringAt(reply.body, 'metadata', 'uid')).toBeDefined();
    expect(api.server.storage.revision).toBe(before);
    expect((await get(`${claims}/a`))['code']).toBe(404);
  });
});

describe('deletion', () => {
  it('waits for every finalizer, and takes none in the meantime', async () => {
    await post(claims, claim({ name: 'a', finalizers: ['x.y/z'] }));
    const deleted = await api.call('DELETE', `${claims}/a`);
    expect(deleted.body).toMatchObject({
      kind: 'PersistentVolumeClaim',
      metadata: { deletionTimestamp: expect.any(String), deletionGracePeriodSeconds: 0 },
    });
    const revision = api.server.storage.revision;
    expect((await api.call('DELETE', `${claims}/a`)).status).toBe(200);
    expect(api.server.storage.revision).toBe(revision);
    const more = await api.patch(`${claims}/a`, 'merge', { metadata: { finalizers: ['x.y/z', 'new.y/z'] } });
    expect(more.body).toMatchObject({ code: 422, message: expect.stringContaining('no new finalizers can be added') });
    await api.patch(`${claims}/a`, 'merge', { metadata: { finalizers: ['x.y/z'], deletionTimestamp: null } });
    expect(await get(`${claims}/a`)).toMatchObject({ metadata: { deletionTimestamp: expect.any(String) } });
    const last = await api.patch(`${claims}/a`, 'json', [{ op: 'remove', path: '/metadata/finalizers/0' }]);
    expect(last.status).toBe(200);
    expect((await get(`${claims}/a`))['code']).toBe(404);
  });

  it('gives a scheduled pod its grace, shortens it, and ends it at zero', async () => {
    await post(pods, pod);
    const asked = await api.call('DELETE', `${pods}/web`);
    expect(asked.body).toMatchObject({ metadata: { deletionGracePeriodSeconds: 30, generation: 2 } });
    const longer = await api.call('DELETE', `${pods}/web?gracePeriodSeconds=60`);
    expect(valueAt(longer.body, 'metadata', 'deletionGracePeriodSeconds')).toBe(30);
    const shorter = await api.call('DELETE', `${pods}/web`, { gracePeriodSeconds: 5 });
    expect(valueAt(shorter.body, 'metadata', 'deletionGracePeriodSeconds')).toBe(5);
    expect((await api.call('DELETE', `${pods}/web`, { gracePeriodSeconds: 0 })).status).toBe(200);
    expect((await get(`${pods}/web`))['code']).toBe(404);
  });

  it('takes a pod nobody runs at once', async () => {
    await post(pods, { ...pod, spec: { ...pod.spec, nodeName: null } });
    await api.call('DELETE', `${pods}/web`);
    expect((await get(`${pods}/web`))['code']).toBe(404);
  });

  it('answers a Status for kinds that do so upstream', async () => {
    await post('/api/v1/namespaces/default/secrets', { metadata: { name: 's' } });
    const { body } = await api.call('DELETE', '/api/v1/namespaces/default/secrets/s');
    expect(body).toMatchObject({ kind: 'Status', status: 'Success', details: { name: 's', kind: 'secrets' } });
  });

  it('of a collection takes what the selector selects', async () => {
    for (const name of ['a', 'b']) await post(attachments, { ...attachment, metadata: { name, labels: { name } } });
    await api.call('DELETE', `${attachments}?labelSelector=name%3Da`);
    const { items } = await get(attachments);
    expect(items).toEqual([expect.objectContaining({ metadata: expect.objectContaining({ name: 'b' }) })]);
  });

  it('of a namespace closes it, and ends when it is finalized', async () => {
    await post('/api/v1/namespaces', { metadata: { name: 'team' } });
    const { body } = await api.call('DELETE', '/api/v1/namespaces/team');
    expect(body).toMatchObject({ spec: { finalizers: ['kubernetes'] }, status: { phase: 'Terminating' } });
    const late = await api.call('POST', claims.replace('default', 'team'), claim({ name: 'late' }));
    expect(late.body).toMatchObject({ code: 403, details: { causes: [{ reason: 'NamespaceTerminating' }] } });
    const finalized = await api.call('PUT', '/api/v1/namespaces/team/finalize', { ...body, spec: { finalizers: [] } });
    expect(finalized.status).toBe(200);
    expect((await get('/api/v1/namespaces/team'))['code']).toBe(404);
  });
});

describe('binding a pod', () => {
  const binding = { target: { kind: 'Node', name: 'n1' } };

  it('sets its node once', async () => {
    await post(pods, { ...pod, spec: { ...pod.spec, nodeName: null } });
    await post(`${pods}/web/binding`, binding);
    const bound = await get(`${pods}/web`);
    expect(bound).toMatchObject({
      spec: { nodeName: 'n1' },
      status: { conditions: [{ type: 'PodScheduled', status: 'True' }] },
    });
    const again = await api.call('POST', `${pods}/web/binding`, binding);
    expect(again.body).toMatchObject({ code: 409, message: expect.stringContaining('already assigned to node "n1"') });
  });
});

describe('a table', () => {
  const accept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };

  it('has the columns and cells kubectl prints', async () => {
    await post(claims, claim({ name: 'data' }));
    const { body } = await api.call('GET', claims, undefined, accept);
    const columns = Array.isArray(body['columnDefinitions']) ? body['columnDefinitions'].filter(isObject) : [];
    expect(columns.filter(({ priority }) => priority === 0).map(({ name }) => name)).toEqual([
      'Name',
      'Status',
      'Volume',
      'Capacity',
      'Access Modes',
      'StorageClass',
      'VolumeAttributesClass',
      'Age',
    ]);
    expect(body['rows']).toEqual([
      {
        cells: ['data', 'Pending', '', '', '', '', '<unset>', '0s', 'Filesystem'],
        object: expect.objectContaining({ kind: 'PartialObjectMetadata' }),
      },
    ]);
  });
});

describe('who may ask', () => {
  it('tells anybody that it lives, and nothing else', async () => {
    expect((await fetch(`${api.server.url}/readyz`)).status).toBe(200);
    expect((await fetch(`${api.server.url}/version`)).status).toBe(200);
    expect((await fetch(`${api.server.url}${claims}`)).status).toBe(403);
    // What is no bearer token is none; a token that nobody was given is another matter.
    expect((await api.call('GET', claims, undefined, { authorization: 'Basic YTpi' })).status).toBe(403);
    expect((await api.call('GET', claims, undefined, { authorization: 'Bearer other' })).status).toBe(401);
  });
});

describe('a strategic merge that replaces the whole object', () => {
  const path = '/api/v1/namespaces/default/configmaps';

  it('keeps nothing of the object, if it says whose name it bears', async () => {
    await post(path, { metadata: { name: 'cm', labels: { a: '1' } }, data: { old: '1' } });
    const patch = { $patch: 'replace', metadata: { name: 'cm' }, data: { new: '2' } };
    const { status, body } = await api.patch(`${path}/cm`, 'strategic', patch);
    expect(status).toBe(200);
    expect(body['data']).toEqual({ new: '2' });
    expect(objectAt(body, 'metadata', 'labels')).toBeUndefined();
  });

  const nameless: readonly ['strategic' | 'merge' | 'json', JsonValue][] = [
    ['strategic', { $patch: 'replace', data: { new: '2' } }],
    ['strategic', { $patch: 'delete' }],
    ['merge', { metadata: null }],
    ['json', [{ op: 'remove', path: '/metadata/name' }]],
  ];
  it.each(nameless)('is refused when nothing names it (%s %j)', async (type, patch) => {
    const made = await post(path, { metadata: { name: 'cm' }, data: { old: '1' } });
    const { status, body } = await api.patch(`${path}/cm`, type, patch);
    expect(status).toBe(400);
    expect(body['message']).toBe('the name of the object (cm based on URL) was undeterminable: name must be provided');
    expect(await get(`${path}/cm`)).toEqual(made);
  });
});
