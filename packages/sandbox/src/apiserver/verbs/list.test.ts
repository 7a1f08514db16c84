import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RawApi, startRawApi } from '../../testing/raw-api.ts';
import { isObject, type JsonObject, stringAt } from '../json.ts';

let api: RawApi;
beforeEach(async () => {
  api = await startRawApi();
});
afterEach(() => api.stop());

const classes = '/apis/storage.k8s.io/v1/storageclasses';

async function make(...names: string[]): Promise<void> {
  for (const name of names) {
    await api.call('POST', classes, { metadata: { name, labels: { first: name.charAt(0) } }, provisioner: 'p' });
  }
}

function namesOf(list: JsonObject): unknown[] {
  return Array.isArray(list['items'])
    ? list['items'].filter(isObject).map((item) => stringAt(item, 'metadata', 'name'))
    : [];
}

describe('pages', () => {
  it('show the state of the first page, whatever happens in between', async () => {
    await make('a', 'b', 'c', 'd', 'e');
    const first = await api.call('GET', `${classes}?limit=2`);
    expect(namesOf(first.body)).toEqual(['a', 'b']);
    expect(first.body).toMatchObject({ kind: 'StorageClassList', metadata: { remainingItemCount: 3 } });
    await api.call('DELETE', `${classes}/c`);
    await api.patch(`${classes}/d`, 'merge', { metadata: { labels: { changed: 'yes' } } });
    await make('cc');
    const token = stringAt(first.body, 'metadata', 'continue') ?? '';
    const rest = await api.call('GET', `${classes}?limit=10&continue=${token}`);
    expect(namesOf(rest.body)).toEqual(['c', 'd', 'e']);
    expect(JSON.stringify(rest.body)).not.toContain('changed');
    expect(rest.body).toMatchObject({
      metadata: { resourceVersion: stringAt(first.body, 'metadata', 'resourceVersion') },
    });
    expect(namesOf((await api.call('GET', classes)).body)).toEqual(['a', 'b', 'cc', 'd', 'e']);
  });

  it('end with 410 once the history is gone', async () => {
    await make('a', 'b', 'c');
    const first = await api.call('GET', `${classes}?limit=1`);
    await make('d');
    api.server.compact();
    const token = stringAt(first.body, 'metadata', 'continue') ?? '';
    expect((await api.call('GET', `${classes}?continue=${token}`)).body).toMatchObject({
      code: 410,
      reason: 'Expired',
    });
    expect((await api.call('GET', `${classes}?continue=nonsense`)).status).toBe(400);
  });
});

describe('the resource version of a list', () => {
  it.each([
    ['', 200],
    ['resourceVersion=0', 200],
    ['resourceVersion=1&resourceVersionMatch=NotOlderThan', 200],
    ['resourceVersion=999&resourceVersionMatch=NotOlderThan', 504],
    ['resourceVersion=999', 504],
    ['resourceVersion=abc', 400],
    ['resourceVersionMatch=Exact', 422],
    ['resourceVersion=0&resourceVersionMatch=Exact', 422],
    ['resourceVersion=1&resourceVersionMatch=Perhaps', 422],
    ['sendInitialEvents=true', 422],
  ])('%s answers %i', async (query, status) => {
    await make('a');
    expect((await api.call('GET', `${classes}?${query}`)).status).toBe(status);
  });

  it('names a state of the past exactly', async () => {
    await make('a');
    const { revision } = api.server.storage;
    await make('b');
    const exact = await api.call('GET', `${classes}?resourceVersion=${revision}&resourceVersionMatch=Exact`);
    expect(namesOf(exact.body)).toEqual(['a']);
    api.server.compact();
    const late = await api.call('GET', `${classes}?resourceVersion=${revision}&resourceVersionMatch=Exact`);
    expect(late.status).toBe(410);
  });

  it('says what it waits for when it is ahead of the server', async () => {
    const { body, headers } = await api.call('GET', `${classes}?resourceVersion=999`);
    expect(body).toMatchObject({ reason: 'Timeout', details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } });
    expect(headers.get('retry-after')).toBe('1');
  });
});

describe('selectors', () => {
  it.each([
    ['labelSelector=first%3Da', ['a']],
    ['labelSelector=first!%3Da', ['b', 'c']],
    ['labelSelector=first in (a,b)', ['a', 'b']],
    ['labelSelector=first notin (a,b)', ['c']],
    ['labelSelector=first,first%3D%3Dc', ['c']],
    ['labelSelector=!first', []],
    ['fieldSelector=metadata.name%3Db', ['b']],
    ['fieldSelector=metadata.name!%3Db', ['a', 'c']],
  ])('%s selects %j', async (query, names) => {
    await make('a', 'b', 'c');
    expect(namesOf((await api.call('GET', `${classes}?${query}`)).body)).toEqual(names);
  });
});
