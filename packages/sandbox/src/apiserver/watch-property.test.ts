import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RawApi, startRawApi } from '../testing/raw-api.ts';
import { isObject, type JsonObject, listAt, stringAt } from './json.ts';

type Step =
  | { readonly kind: 'create'; readonly name: string; readonly finalizer: boolean }
  | { readonly kind: 'label'; readonly name: string; readonly value: string }
  | { readonly kind: 'delete'; readonly name: string }
  | { readonly kind: 'release'; readonly name: string };

const names = fc.constantFrom('a', 'b', 'c');
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('create' as const), name: names, finalizer: fc.boolean() }),
    fc.record({ kind: fc.constant('label' as const), name: names, value: fc.constantFrom('on', 'off') }),
    fc.record({ kind: fc.constant('delete' as const), name: names }),
    fc.record({ kind: fc.constant('release' as const), name: names }),
  ),
  { maxLength: 25 },
);

const attachments = '/apis/storage.k8s.io/v1/volumeattachments';

async function take(api: RawApi, step: Step): Promise<void> {
  const path = `${attachments}/${step.name}`;
  switch (step.kind) {
    case 'create': {
      const metadata = { name: step.name, ...(step.finalizer ? { finalizers: ['x.y/z'] } : {}) };
      const spec = { attacher: 'a', nodeName: 'n', source: { persistentVolumeName: 'p' } };
      await api.call('POST', attachments, { metadata, spec });
      return;
    }
    case 'label':
      await api.patch(path, 'strategic', { metadata: { labels: { state: step.value } } });
      return;
    case 'delete':
      await api.call('DELETE', path);
      return;
    case 'release':
      await api.patch(path, 'merge', { metadata: { finalizers: null } });
      return;
    default:
      step satisfies never;
  }
}

/** Plays a watch into a map until it has seen a revision; refuses events out of order or that make no sense. */
async function replay(api: RawApi, query: string, until: number): Promise<Map<string, JsonObject>> {
  const seen = new Map<string, JsonObject>();
  let last = 0;
  for await (const { type, object } of api.watch(`${attachments}?watch=true${query}`)) {
    const name = stringAt(object, 'metadata', 'name') ?? '';
    const revision = Number(stringAt(object, 'metadata', 'resourceVersion'));
    if (name === 'the-end') {
      expect(revision).toBe(until);
      return seen;
    }
    expect(revision).toBeGreaterThan(last);
    last = revision;
    expect(seen.has(name)).toBe(type !== 'ADDED');
    if (type === 'DELETED') seen.delete(name);
    else if (isObject(object)) seen.set(name, object);
  }
  throw new Error('the watch ended too early');
}

describe('a watch replayed', () => {
  it.each(['', '&labelSelector=state!%3Doff'])('is the list (%s)', async (query) => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (sequence, cut) => {
        const api = await startRawApi();
        try {
          const start = api.server.storage.revision;
          for (const step of sequence) await take(api, step);
          const list = await api.call('GET', `${attachments}?${query.slice(1)}`);
          await take(api, { kind: 'create', name: 'the-end', finalizer: false });
          const until = api.server.storage.revision;
          const wanted = listAt(list.body, 'items').filter(isObject);

          const seen = await replay(api, `${query}&resourceVersion=${start}`, until);
          const byName = (a: JsonObject, b: JsonObject): number =>
            (stringAt(a, 'metadata', 'name') ?? '') < (stringAt(b, 'metadata', 'name') ?? '') ? -1 : 1;
          const typed = wanted.map((item) => ({ kind: 'VolumeAttachment', apiVersion: 'storage.k8s.io/v1', ...item }));
          expect([...seen.values()].sort(byName)).toEqual(typed);

          // Any state of the past is the events up to it.
          const revision = start + (cut % (until - start));
          const past = await api.call('GET', `${attachments}?resourceVersion=${revision}&resourceVersionMatch=Exact`);
          for (const item of listAt(past.body, 'items')) {
            expect(Number(stringAt(item, 'metadata', 'resourceVersion'))).toBeLessThanOrEqual(revision);
          }
        } finally {
          await api.stop();
        }
      }),
      { numRuns: 25 },
    );
  });
});
