import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RawApi, startRawApi } from '../../testing/raw-api.ts';
import { stringAt, valueAt } from '../json.ts';

let api: RawApi;
beforeEach(async () => {
  api = await startRawApi();
});
afterEach(() => api.stop());

const inDefault = '/api/v1/namespaces/default';
const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } };

describe('a delete', () => {
  it('of a pod that nobody runs marks it and then removes it: its watchers see both', async () => {
    const { body } = await api.call('POST', `${inDefault}/pods`, pod);
    const events = api.watch(
      `${inDefault}/pods?watch=true&resourceVersion=${stringAt(body, 'metadata', 'resourceVersion')}`,
    );
    await api.call('DELETE', `${inDefault}/pods/p`);
    const marked = (await events.next()).value;
    const removed = (await events.next()).value;
    await events.return(undefined);
    expect(marked).toMatchObject({ type: 'MODIFIED', object: { metadata: { deletionGracePeriodSeconds: 0 } } });
    expect(removed).toMatchObject({ type: 'DELETED' });
  });

  it('answers with the version of the deletion, and without a mark where nothing was waited for', async () => {
    const classes = '/apis/storage.k8s.io/v1/storageclasses';
    const made = await api.call('POST', classes, { metadata: { name: 'c' }, provisioner: 'p' });
    const { body } = await api.call('DELETE', `${classes}/c`);
    const versionOf = (object: typeof body): number => Number(stringAt(object, 'metadata', 'resourceVersion'));
    expect(versionOf(body)).toBeGreaterThan(versionOf(made.body));
    expect(valueAt(body, 'metadata', 'deletionTimestamp')).toBeUndefined();
  });

  it('that names what is no longer there says so: the name is taken while its object is on its way out', async () => {
    const map = { metadata: { name: 'm', finalizers: ['example.com/hold'] } };
    await api.call('POST', `${inDefault}/configmaps`, map);
    await api.call('DELETE', `${inDefault}/configmaps/m`);
    const { body } = await api.call('POST', `${inDefault}/configmaps`, map);
    expect(body['message']).toBe('object is being deleted: configmaps "m" already exists');
  });
});

describe('a PUT of a pod', () => {
  it('need not repeat what admission put in', async () => {
    const { body } = await api.call('POST', `${inDefault}/pods`, pod);
    expect(body['spec']).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' });
    const put = await api.call('PUT', `${inDefault}/pods/p`, pod);
    expect(put.status).toBe(200);
    expect(valueAt(put.body, 'spec', 'tolerations')).toEqual(valueAt(body, 'spec', 'tolerations'));
  });
});
