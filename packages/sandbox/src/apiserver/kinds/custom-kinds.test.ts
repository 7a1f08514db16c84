import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RawApi, startRawApi } from '../../testing/raw-api.ts';

let api: RawApi;
beforeEach(async () => {
  api = await startRawApi();
});
afterEach(() => api.stop());

const snapshots = '/apis/snapshot.storage.k8s.io/v1/namespaces/default/volumesnapshots';
const contents = '/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents';
const classes = '/apis/snapshot.storage.k8s.io/v1/volumesnapshotclasses';
const grants = '/apis/gateway.networking.k8s.io/v1beta1/namespaces/default/referencegrants';

const snapshot = (spec: object) => ({ metadata: { name: 'snap' }, spec: { source: {}, ...spec } });
const content = (spec: object) => ({
  metadata: { name: 'content' },
  spec: {
    deletionPolicy: 'Delete',
    driver: 'disk.csi',
    source: { snapshotHandle: 'handle' },
    volumeSnapshotRef: { name: 'snap', namespace: 'default' },
    ...spec,
  },
});

describe('kinds of CustomResourceDefinitions', () => {
  it.each([
    [snapshots, snapshot({ source: { persistentVolumeClaimName: 'a' } }), 201, undefined],
    [snapshots, snapshot({}), 422, 'exactly one of'],
    [
      snapshots,
      snapshot({ source: { persistentVolumeClaimName: 'a', volumeSnapshotContentName: 'b' } }),
      422,
      'exactly one of volumeSnapshotContentName and persistentVolumeClaimName must be set',
    ],
    [
      snapshots,
      snapshot({ source: { persistentVolumeClaimName: 'a' }, volumeSnapshotClassName: '' }),
      422,
      'volumeSnapshotClassName must not be the empty string when set',
    ],
    [contents, content({}), 201, undefined],
    [contents, content({ deletionPolicy: 'Keep' }), 422, 'supported values: "Delete", "Retain"'],
    [
      contents,
      content({ volumeSnapshotRef: { name: 'snap' } }),
      422,
      'both spec.volumeSnapshotRef.name and spec.volumeSnapshotRef.namespace must be set',
    ],
    [classes, { metadata: { name: 'c' }, driver: 'disk.csi' }, 422, 'deletionPolicy: Required value'],
    [grants, { metadata: { name: 'g' }, spec: { from: [], to: [] } }, 422, 'should have at least 1 items'],
    [
      grants,
      {
        metadata: { name: 'g' },
        spec: { from: [{ group: '', kind: 'PersistentVolumeClaim' }], to: [{ group: '', kind: 'Pod' }] },
      },
      422,
      'spec.from[0].namespace: Required value',
    ],
  ])('POST %s', async (path, body, status, message) => {
    const reply = await api.call('POST', path, body);
    expect(reply.status).toBe(status);
    if (message !== undefined) expect(reply.body['message']).toContain(message);
  });

  it('keep what was set once', async () => {
    await api.call('POST', contents, content({ sourceVolumeMode: 'Block' }));
    const changed = await api.patch(`${contents}/content`, 'merge', { spec: { sourceVolumeMode: 'Filesystem' } });
    expect(changed.body['message']).toContain('sourceVolumeMode is immutable');
    const removed = await api.patch(`${contents}/content`, 'merge', { spec: { sourceVolumeMode: null } });
    expect(removed.body['message']).toContain('sourceVolumeMode is required once set');
  });

  it('have no merge keys: a strategic merge patch is refused, as upstream does', async () => {
    await api.call('POST', contents, content({}));
    const reply = await api.patch(`${contents}/content`, 'strategic', { metadata: { labels: { a: 'b' } } });
    expect(reply.status).toBe(415);
  });

  it('have their status apart, and a generation', async () => {
    await api.call('POST', contents, { ...content({}), status: { readyToUse: true } });
    const made = await api.call('GET', `${contents}/content`);
    expect(made.body['status']).toBeUndefined();
    const ready = await api.patch(`${contents}/content/status`, 'merge', { status: { readyToUse: true } });
    expect(ready.body).toMatchObject({ status: { readyToUse: true }, metadata: { generation: 1 } });
  });

  it('are found by discovery, each group in its version', async () => {
    const group = await api.call('GET', '/apis/gateway.networking.k8s.io');
    expect(group.body).toMatchObject({ preferredVersion: { groupVersion: 'gateway.networking.k8s.io/v1beta1' } });
    const list = await api.call('GET', '/apis/gateway.networking.k8s.io/v1beta1');
    expect(JSON.stringify(list.body)).toContain('"referencegrants"');
    expect((await api.call('GET', '/apis/gateway.networking.k8s.io/v1')).status).toBe(404);
  });
});
