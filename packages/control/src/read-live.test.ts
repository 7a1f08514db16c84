import { type PersistentVolume, persistentVolumes } from '@holdfast/kube';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readLive } from './read-live.ts';
import { createStore, type Store, type StoreWriter } from './store.ts';
import { type ApiDouble, type Exchange, startApiDouble } from './testing/api-double.ts';

const { signal } = new AbortController();
let answer: (exchange: Exchange) => void;
let api: ApiDouble;
let store: Store<PersistentVolume> & StoreWriter<PersistentVolume>;

beforeEach(async () => {
  api = await startApiDouble((exchange) => answer(exchange));
  store = createStore<PersistentVolume>({ project: ({ metadata }) => ({ metadata }) });
});
afterEach(() => api.stop());

function volume(uid: string, resourceVersion: string): PersistentVolume {
  const metadata = { name: 'pv-1', uid, resourceVersion, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { metadata, spec: { volumeMode: 'Block' } };
}

function read() {
  return readLive({ client: api.client, resource: persistentVolumes, store }, { name: 'pv-1' }, signal);
}

it('gives the object whole, and the cache its projection', async () => {
  store.applyEvent(volume('uid-1', '1'));
  answer = (exchange) => exchange.reply(200, volume('uid-1', '2'));
  expect((await read())?.spec).toEqual({ volumeMode: 'Block' });
  expect(store.get('pv-1')).toEqual({ metadata: volume('uid-1', '2').metadata });
});

it('takes an object that is gone out of the cache', async () => {
  store.applyEvent(volume('uid-1', '1'));
  answer = (exchange) => exchange.refuse(404, 'NotFound');
  expect(await read()).toBeUndefined();
  expect(store.get('pv-1')).toBeUndefined();
});

it('leaves one in the cache that was made while it asked', async () => {
  store.applyEvent(volume('uid-1', '1'));
  answer = (exchange) => {
    store.applyEvent(volume('uid-2', '3'));
    exchange.refuse(404, 'NotFound');
  };
  expect(await read()).toBeUndefined();
  expect(store.get('pv-1')?.metadata.uid).toBe('uid-2');
});

it('throws what else the API server says', async () => {
  answer = (exchange) => exchange.refuse(403, 'Forbidden');
  await expect(read()).rejects.toMatchObject({ reason: 'Forbidden' });
});
