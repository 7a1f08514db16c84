import type { KubeObject } from '@holdfast/kube';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStore, type StoreChange } from './store.ts';

interface Thing extends KubeObject {
  color?: string;
  secret?: string;
}

function thing(
  name: string,
  resourceVersion: number | string,
  more: { uid?: string; color?: string; secret?: string } = {},
): Thing {
  const { uid = `uid-${name}`, ...rest } = more;
  return {
    metadata: {
      name,
      namespace: 'ns',
      uid,
      resourceVersion: String(resourceVersion),
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    ...rest,
  };
}

function recorded(store: ReturnType<typeof createStore<Thing>>): string[] {
  const seen: string[] = [];
  store.subscribe((change: StoreChange<Thing>) => {
    seen.push(`${change.kind} ${change.object.metadata.name}@${change.object.metadata.resourceVersion}`);
  });
  return seen;
}

const byColor = { indexes: { color: (object: Thing) => (object.color ? [object.color] : []) } };

describe('indexes', () => {
  it('follow additions, changes and deletions', () => {
    const store = createStore<Thing>(byColor);
    store.applyEvent(thing('a', 1, { color: 'red' }));
    store.applyEvent(thing('b', 2, { color: 'red' }));
    expect(store.byIndex('color', 'red').map((each) => each.metadata.name)).toEqual(['a', 'b']);
    store.applyEvent(thing('a', 3, { color: 'blue' }));
    expect(store.byIndex('color', 'red').map((each) => each.metadata.name)).toEqual(['b']);
    expect(store.byIndex('color', 'blue').map((each) => each.metadata.name)).toEqual(['a']);
    store.applyDeletedEvent(thing('b', 4, { color: 'red' }));
    expect(store.byIndex('color', 'red')).toEqual([]);
  });

  it('name themselves when asked for one that does not exist', () => {
    expect(() => createStore<Thing>(byColor).byIndex('size', 'L')).toThrow('no index named "size"; there is: color');
  });
});

it('projects whatever comes in, by event, list or write', () => {
  const store = createStore<Thing>({
    project: ({ secret: _dropped, ...kept }) => kept,
  });
  store.applyEvent(thing('a', 1, { secret: 's' }));
  store.replaceAll([thing('a', 1), thing('b', 2, { secret: 's' })].map(store.keep), '2');
  store.applyWrite(thing('c', 3, { secret: 's' }));
  expect(store.size).toBe(3);
  for (const object of store.list()) expect(object).not.toHaveProperty('secret');
});

describe('reading its own writes', () => {
  it('is not undone by an older watch event', () => {
    const store = createStore<Thing>(byColor);
    const seen = recorded(store);
    store.applyEvent(thing('a', 8));
    store.applyWrite(thing('a', 10, { color: 'written' }));
    store.applyEvent(thing('a', 9, { color: 'older' }));
    expect(store.get('ns/a')?.color).toBe('written');
    store.applyEvent(thing('a', 10, { color: 'written' }));
    store.applyEvent(thing('a', 11, { color: 'newer' }));
    expect(store.get('ns/a')?.color).toBe('newer');
    expect(seen).toEqual(['added a@8', 'updated a@10', 'updated a@11']);
  });

  it('compares versions as numbers of any length', () => {
    const store = createStore<Thing>();
    store.applyWrite(thing('a', '10000000000000000000001'));
    store.applyEvent(thing('a', '9999999999999999999999'));
    expect(store.get('ns/a')?.metadata.resourceVersion).toBe('10000000000000000000001');
  });

  it('does not let a late reply undo a newer watch event', () => {
    const store = createStore<Thing>();
    store.applyEvent(thing('a', 11, { color: 'newer' }));
    store.applyWrite(thing('a', 10, { color: 'reply' }));
    expect(store.get('ns/a')?.color).toBe('newer');
  });

  it('does not let a late reply bring back what the watch saw deleted', () => {
    const store = createStore<Thing>();
    store.applyEvent(thing('a', 9));
    store.applyDeletedEvent(thing('a', 11));
    store.applyWrite(thing('a', 10));
    expect(store.get('ns/a')).toBeUndefined();
  });

  it('does not resurrect what it deleted itself', () => {
    const store = createStore<Thing>();
    const seen = recorded(store);
    store.applyEvent(thing('a', 5));
    store.applyDelete('ns/a', 'uid-a');
    store.applyEvent(thing('a', 6));
    store.applyWrite(thing('a', 6));
    store.replaceAll([thing('a', 6)], '6');
    expect(store.get('ns/a')).toBeUndefined();
    store.applyDeletedEvent(thing('a', 7));
    store.applyEvent(thing('a', 8, { uid: 'second' }));
    expect(store.get('ns/a')?.metadata.uid).toBe('second');
    expect(seen).toEqual(['added a@5', 'deleted a@5', 'added a@8']);
  });

  it('leaves an object alone that was made anew under the name of a deleted one', () => {
    const store = createStore<Thing>();
    store.applyEvent(thing('a', 5));
    store.applyWrite(thing('a', 9, { uid: 'second' }));
    store.applyDelete('ns/a', 'uid-a');
    store.applyDeletedEvent(thing('a', 7));
    expect(store.get('ns/a')?.metadata.uid).toBe('second');
  });

  it('keeps a write that a list taken earlier does not show, until the watch decides', () => {
    const store = createStore<Thing>();
    store.applyEvent(thing('new', 14));
    store.applyWrite(thing('new', 20));
    store.applyEvent(thing('new', 16));
    store.applyWrite(thing('old', 21, { color: 'written' }));
    store.replaceAll([thing('old', 15)], '19');
    expect(store.get('ns/new')).toBeDefined();
    expect(store.get('ns/old')?.color).toBe('written');
    store.replaceAll([], '30');
    expect(store.size).toBe(0);
  });
});

describe('versions that are no numbers', () => {
  it('follow the watch event by event, and a list to the letter', () => {
    const store = createStore<Thing>();
    const seen = recorded(store);
    store.applyEvent(thing('a', 'v9'));
    store.applyEvent(thing('a', 'v10'));
    store.applyWrite(thing('b', 'v11'));
    store.applyDeletedEvent(thing('a', 'v12'));
    store.replaceAll([thing('c', 'v3')], 'v13');
    expect(seen).toEqual([
      'added a@v9',
      'updated a@v10',
      'added b@v11',
      'deleted a@v10',
      'deleted b@v11',
      'added c@v3',
    ]);
  });
});

describe('a list', () => {
  it('yields the deletions and changes that were missed, after the swap', () => {
    const store = createStore<Thing>();
    for (const name of ['gone', 'same', 'changed', 'replaced']) store.applyEvent(thing(name, 5));
    const seen: string[] = [];
    store.subscribe((change) => seen.push(`${change.kind} ${change.object.metadata.name} of ${store.size}`));
    store.replaceAll(
      [thing('same', 5), thing('changed', 8), thing('replaced', 9, { uid: 'second' }), thing('new', 7)],
      '9',
    );
    expect(seen).toEqual([
      'deleted gone of 4',
      'updated changed of 4',
      'deleted replaced of 4',
      'added replaced of 4',
      'added new of 4',
    ]);
  });

  it('is believed when the server has gone back in time', () => {
    const store = createStore<Thing>();
    store.applyEvent(thing('a', 500));
    store.replaceAll([thing('a', 7), thing('b', 8)], '9');
    expect(store.get('ns/a')?.metadata.resourceVersion).toBe('7');
    store.applyWrite(thing('c', 10));
    expect(store.get('ns/c')).toBeDefined();
  });
});

it('hands a listener that throws to onListenerError and still tells the others', () => {
  const errors: unknown[] = [];
  const store = createStore<Thing>({ onListenerError: (error) => errors.push(error) });
  const boom = new Error('boom');
  store.subscribe(() => {
    throw boom;
  });
  const seen = recorded(store);
  store.applyEvent(thing('a', 1));
  expect(errors).toEqual([boom]);
  expect(seen).toEqual(['added a@1']);
});

// A server with a few names, its history, and a process that writes to it while the watch lags behind by any amount.
const step = fc.oneof(
  fc.record({
    kind: fc.constant('server' as const),
    name: fc.constantFrom('a', 'b', 'c'),
    verb: fc.constantFrom('set', 'delete'),
  }),
  fc.record({
    kind: fc.constant('own' as const),
    name: fc.constantFrom('a', 'b', 'c'),
    verb: fc.constantFrom('set', 'delete'),
  }),
  fc.record({ kind: fc.constant('deliver' as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('relist' as const) }),
);

it('never shows less than its own last write, and ends up equal to the server', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const store = createStore<Thing>();
      const server = new Map<string, Thing>();
      let undelivered: { type: 'set' | 'delete'; object: Thing }[] = [];
      const ownVersions = new Map<string, number>();
      const ownDeletes = new Set<string>();
      let version = 0;
      store.replaceAll([], '0');

      function change(name: string, verb: string): Thing | undefined {
        const old = server.get(name);
        if (verb === 'delete' && !old) return undefined;
        version += 1;
        const object = thing(name, version, { uid: old?.metadata.uid ?? `uid-${version}` });
        if (verb === 'delete') server.delete(name);
        else server.set(name, object);
        undelivered.push({ type: verb === 'delete' ? 'delete' : 'set', object });
        return object;
      }
      function deliver(count: number): void {
        for (const { type, object } of undelivered.splice(0, count)) {
          if (type === 'delete') store.applyDeletedEvent(object);
          else store.applyEvent(object);
        }
      }

      for (const each of steps) {
        if (each.kind === 'deliver') deliver(each.count);
        else if (each.kind === 'relist') {
          store.replaceAll(server.values(), String(version));
          undelivered = [];
        } else {
          const object = change(each.name, each.verb);
          if (each.kind === 'own' && object) {
            if (each.verb === 'delete') {
              store.applyDelete(`ns/${each.name}`, object.metadata.uid);
              ownDeletes.add(object.metadata.uid);
            } else {
              store.applyWrite(object);
              ownVersions.set(object.metadata.uid, version);
            }
          }
        }
        for (const object of store.list()) {
          const own = ownVersions.get(object.metadata.uid);
          if (own !== undefined) expect(Number(object.metadata.resourceVersion)).toBeGreaterThanOrEqual(own);
        }
      }
      deliver(undelivered.length);
      expect(new Map(store.list().map((object) => [object.metadata.name, object.metadata.resourceVersion]))).toEqual(
        new Map([...server].map(([name, object]) => [name, object.metadata.resourceVersion])),
      );
      for (const object of store.list()) expect(ownDeletes.has(object.metadata.uid)).toBe(false);
    }),
    { numRuns: 500 },
  );
});

describe('objects that are not kept', () => {
  const onlyRed = { isKept: (object: Thing) => object.color === 'red', ...byColor };

  it('are not there, in a list or one by one', () => {
    const store = createStore<Thing>(onlyRed);
    const seen = recorded(store);
    store.replaceAll([thing('a', 1, { color: 'red' }), thing('b', 2, { color: 'blue' })], '2');
    store.applyEvent(thing('c', 3, { color: 'blue' }));
    store.applyWrite(thing('d', 4, { color: 'blue' }));
    store.applyDeletedEvent(thing('c', 5, { color: 'blue' }));
    expect(store.list().map(({ metadata }) => metadata.name)).toEqual(['a']);
    expect(store.byIndex('color', 'blue')).toEqual([]);
    expect(seen).toEqual(['added a@1']);
  });

  it('go when they change to be such, and come when they change back', () => {
    const store = createStore<Thing>(onlyRed);
    const seen = recorded(store);
    store.applyEvent(thing('a', 1, { color: 'red' }));
    store.applyEvent(thing('a', 2, { color: 'blue' }));
    store.applyEvent(thing('a', 3, { color: 'red' }));
    store.replaceAll([thing('a', 4, { color: 'blue' })], '4');
    expect(seen).toEqual(['added a@1', 'deleted a@1', 'added a@3', 'deleted a@3']);
    expect(store.size).toBe(0);
  });
});
