import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RawApi, type RawReply, startRawApi } from '../../testing/raw-api.ts';
import { type JsonObject, listAt, objectAt, stringAt, valueAt } from '../json.ts';

let api: RawApi;
beforeEach(async () => {
  api = await startRawApi();
});
afterEach(() => api.stop());

const path = '/apis/storage.k8s.io/v1/csinodes/n1';

function apply(manager: string, body: JsonObject, query = ''): Promise<RawReply> {
  return api.patch(`${path}?fieldManager=${manager}${query}`, 'apply', {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSINode',
    ...body,
    metadata: { name: 'n1', ...objectAt(body, 'metadata') },
  });
}

function driver(name: string, more: JsonObject = {}): JsonObject {
  return { name, nodeID: 'n1', ...more };
}

function names(reply: RawReply): (string | undefined)[] {
  return listAt(reply.body, 'spec', 'drivers').map((item) => stringAt(item, 'name'));
}

describe('server-side apply', () => {
  it('creates, and writes nothing when nothing changes', async () => {
    const first = await apply('one', { spec: { drivers: [driver('a')] } });
    expect(first.status).toBe(201);
    expect(valueAt(first.body, 'metadata', 'managedFields')).toMatchObject([
      {
        manager: 'one',
        operation: 'Apply',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:spec': { 'f:drivers': { 'k:{"name":"a"}': { 'f:nodeID': {} } } } },
      },
    ]);
    const second = await apply('one', { spec: { drivers: [driver('a')] } });
    expect(second.status).toBe(200);
    expect(stringAt(second.body, 'metadata', 'resourceVersion')).toBe(
      stringAt(first.body, 'metadata', 'resourceVersion'),
    );
  });

  it('adds the items of two managers, and removes only what its manager says no more', async () => {
    await apply('one', { spec: { drivers: [driver('a'), driver('b')] } });
    await apply('two', { spec: { drivers: [driver('c')] } });
    const dropped = await apply('one', { metadata: { labels: { x: 'y' } }, spec: { drivers: [driver('a')] } });
    expect(names(dropped)).toEqual(['a', 'c']);
    const relabelled = await apply('one', { spec: { drivers: [driver('a')] } });
    expect(valueAt(relabelled.body, 'metadata', 'labels', 'x')).toBeUndefined();
  });

  it('refuses to change what another manager applied, unless forced', async () => {
    await apply('one', { metadata: { labels: { x: '1' } } });
    const refused = await apply('two', { metadata: { labels: { x: '2' } } });
    expect(refused.body).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "one": .metadata.labels.x',
      details: { causes: [{ reason: 'FieldManagerConflict', field: '.metadata.labels.x' }] },
    });
    const same = await apply('two', { metadata: { labels: { x: '1' } } });
    expect(same.status).toBe(200);
    const forced = await apply('two', { metadata: { labels: { x: '2' } } }, '&force=true');
    expect(valueAt(forced.body, 'metadata', 'labels')).toEqual({ x: '2' });
    const back = await apply('one', { metadata: {} });
    expect(valueAt(back.body, 'metadata', 'labels')).toEqual({ x: '2' });
  });

  it('needs a manager and the name of the URL', async () => {
    expect((await api.patch(path, 'apply', { metadata: { name: 'n1' } })).status).toBe(422);
    const other = await apply('one', { metadata: { name: 'n2' } });
    expect(other.body['message']).toContain('does not match the name on the URL');
  });

  it('conflicts with other writes too, and takes from their owners what it is forced to', async () => {
    const map = '/api/v1/namespaces/default/configmaps';
    const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data: { a: '2' } };
    await api.call('POST', `${map}?fieldManager=maker`, { metadata: { name: 'm' }, data: { a: '1', b: '1' } });
    const refused = await api.patch(`${map}/m?fieldManager=one`, 'apply', applied);
    expect(refused.body).toMatchObject({
      code: 409,
      message: 'Apply failed with 1 conflict: conflict with "maker" using v1: .data.a',
    });
    const forced = await api.patch(`${map}/m?fieldManager=one&force=true`, 'apply', applied);
    expect(valueAt(forced.body, 'metadata', 'managedFields')).toMatchObject([
      { manager: 'one', operation: 'Apply', fieldsV1: { 'f:data': { 'f:a': {} } } },
      { manager: 'maker', operation: 'Update', fieldsV1: { 'f:data': { '.': {}, 'f:b': {} } } },
    ]);
    await api.patch(`${map}/m?fieldManager=late`, 'merge', { data: { a: '3' } });
    const again = await api.patch(`${map}/m?fieldManager=one`, 'apply', applied);
    expect(again.body['message']).toContain('conflict with "late" using v1: .data.a');
  });

  it('reads YAML', async () => {
    const yaml = 'apiVersion: storage.k8s.io/v1\nkind: CSINode\nmetadata:\n  name: n1\n';
    const reply = await api.call('PATCH', `${path}?fieldManager=m`, yaml, {
      'content-type': 'application/apply-patch+yaml',
    });
    expect(reply.status).toBe(201);
  });
});
