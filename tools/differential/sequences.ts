// Stories that nobody wrote: random requests about two objects, told to both servers, and at the end what a watch saw of it all.
import * as fc from 'fast-check';
import { type Difference, describe } from './compare.ts';
import * as make from './objects.ts';
import { paths } from './objects.ts';
import { createTelling } from './run-script.ts';
import type { JsonObject, Step } from './script.ts';
import { get, isObject, type JsonValue, patch, post, put, remove } from './script.ts';
import type { Servers } from './servers.ts';

export interface SequencesResult {
  readonly requests: number;
  /** The shortest story that was found to differ, as text; undefined when none did. */
  readonly failure: string | undefined;
}

interface Subject {
  readonly name: string;
  readonly path: string;
  readonly make: (name: string, rest?: JsonObject) => JsonObject;
  /** A part of it that may change, as a client would send it. */
  readonly content: (value: string) => JsonObject;
  readonly hasStatus: boolean;
}

const subjects: readonly Subject[] = [
  {
    name: 'configmaps',
    path: paths.configMaps,
    make: make.configMap,
    content: (value) => ({ data: { [`k${value}`]: value, shared: value } }),
    hasStatus: false,
  },
  {
    name: 'capacities',
    path: paths.capacities,
    make: make.capacity,
    content: (value) => ({ capacity: `${value.length}Gi` }),
    hasStatus: false,
  },
  {
    name: 'pods',
    path: paths.pods,
    make: make.pod,
    content: (value) => ({ metadata: { annotations: { [`example.com/${value}`]: value } } }),
    hasStatus: true,
  },
  {
    name: 'claims',
    path: paths.claims,
    make: make.claim,
    content: (value) => ({ metadata: { annotations: { [`example.com/${value}`]: value } } }),
    hasStatus: true,
  },
  {
    name: 'leases',
    path: paths.leases,
    make: make.lease,
    content: (value) => ({ spec: { holderIdentity: value, leaseTransitions: value.length } }),
    hasStatus: false,
  },
];

const names = fc.constantFrom('a', 'b');
const values = fc.constantFrom('x', 'yy', 'zzz');
const managers = fc.constantFrom('one', 'two');
const finalizers = fc.subarray(['example.com/one', 'example.com/two']);
const labels = fc.constantFrom<JsonObject>({}, { in: 'yes' }, { in: 'no' }, { in: 'yes', also: 'x' });
const version = fc.constantFrom<'none' | 'current' | 'stale'>('none', 'none', 'current', 'stale');

function objectOf(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function versionOf(which: 'none' | 'current' | 'stale', name: string): JsonObject {
  if (which === 'none') return {};
  return { resourceVersion: which === 'current' ? `{{${name}.rv}}` : '1' };
}

function metadataPatch(subject: Subject): fc.Arbitrary<Step> {
  const change = fc.oneof(
    labels.map((value) => ({ labels: value })),
    fc.constant({ labels: null }),
    finalizers.map((value) => ({ finalizers: value })),
    fc.constant({ finalizers: null }),
  );
  return fc
    .tuple(fc.constantFrom<'merge' | 'strategic'>('merge', 'strategic'), names, change, version)
    .map(([type, name, metadata, which]) =>
      patch(type, `${subject.path}/${name}`, { metadata: { ...metadata, ...versionOf(which, name) } }, { as: name }),
    );
}

function stepOf(subject: Subject): fc.Arbitrary<Step> {
  const { path, content } = subject;
  const whole = fc.tuple(names, labels, finalizers, values);
  const object = (name: string, label: JsonObject, held: string[], value: string): JsonObject => {
    const own = content(value);
    const extra = objectOf(own['metadata']);
    return subject.make(name, { ...own, metadata: { labels: label, finalizers: held, ...extra } });
  };
  const create = whole.map(([name, label, held, value]) => post(path, object(name, label, held, value), { as: name }));
  const replace = fc.tuple(whole, version).map(([[name, label, held, value], which]) => {
    const sent = object(name, label, held, value);
    const metadata = objectOf(sent['metadata']);
    return put(`${path}/${name}`, { ...sent, metadata: { ...metadata, ...versionOf(which, name) } }, { as: name });
  });
  const change = fc
    .tuple(names, values)
    .map(([name, value]) => patch('merge', `${path}/${name}`, content(value), { as: name }));
  const release = names.map((name) =>
    patch(
      'json',
      `${path}/${name}`,
      [
        { op: 'test', path: '/metadata/finalizers/0', value: 'example.com/one' },
        { op: 'remove', path: '/metadata/finalizers/0' },
      ],
      { as: name },
    ),
  );
  const apply = fc.tuple(names, values, managers, fc.boolean()).map(([name, value, manager, isForced]) =>
    patch('apply', `${path}/${name}?fieldManager=${manager}&force=${isForced}`, applied(subject, name, value), {
      as: name,
    }),
  );
  const del = fc
    .tuple(names, version)
    .map(([name, which]) => remove(`${path}/${name}`, { preconditions: versionOf(which, name) }));
  const look = fc.oneof(
    names.map((name) => get(`${path}/${name}`, { as: name })),
    fc.constant(get(path)),
    fc.constant(get(`${path}?labelSelector=in=yes`)),
    fc.constant(remove(`${path}?labelSelector=in=no`)),
  );
  const status = names.map((name) =>
    patch('merge', `${path}/${name}/status`, { status: { phase: 'Running' }, metadata: { labels: { by: 'status' } } }),
  );
  return fc.oneof(
    { weight: 4, arbitrary: create },
    { weight: 3, arbitrary: replace },
    { weight: 4, arbitrary: metadataPatch(subject) },
    { weight: 3, arbitrary: change },
    { weight: 2, arbitrary: release },
    { weight: 3, arbitrary: apply },
    { weight: 3, arbitrary: del },
    { weight: 2, arbitrary: look },
    { weight: subject.hasStatus ? 2 : 0, arbitrary: status },
  );
}

function applied(subject: Subject, name: string, value: string): JsonObject {
  const own = subject.content(value);
  const metadata = objectOf(own['metadata']);
  // A pod is not to be applied without its spec when there is none yet.
  return subject.make(name, { ...own, metadata });
}

const story = fc
  .constantFrom(...subjects)
  .chain((subject) => fc.array(stepOf(subject), { minLength: 3, maxLength: 18 }).map((steps) => ({ subject, steps })));

/** @throws nothing but what the servers' being gone does */
export async function tellSequences(
  servers: Servers,
  options: {
    seed: number;
    runs: number;
    signal: AbortSignal;
    open: (where: string, differences: readonly Difference[]) => readonly Difference[];
  },
): Promise<SequencesResult> {
  let requests = 0;
  let told = 0;
  let last = '';
  const property = fc.asyncProperty(story, async ({ subject, steps }) => {
    options.signal.throwIfAborted();
    told += 1;
    const namespace = `s-${told}`;
    const telling = createTelling(servers, namespace);
    const begin: Step[] = [
      { method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } },
      get(subject.path, { as: 'start' }),
    ];
    const watch = (query: string): Step =>
      get(`${subject.path}?watch=true&timeoutSeconds=1&resourceVersion={{start.rv}}${query}`);
    const all = [...begin, ...steps, watch(told % 2 === 0 ? '' : '&labelSelector=in=yes')];
    for (const [at, step] of all.entries()) {
      const { differences } = await telling.send(step);
      requests += 1;
      const where = `sequences / ${subject.name} / ${step.method} ${step.path}`;
      const open = options.open(where, differences);
      if (open.length === 0) continue;
      const storyText = all
        .slice(0, at + 1)
        .map(({ method, path, body }) => `      ${method} ${path} ${body === undefined ? '' : JSON.stringify(body)}`);
      last = [...storyText, ...open.map((difference) => `    ${describe(difference)}`)].join('\n');
      throw new Error('the servers differ');
    }
  });
  const result = await fc.check(property, {
    seed: options.seed,
    numRuns: options.runs,
    endOnFailure: false,
    interruptAfterTimeLimit: 60_000,
  });
  options.signal.throwIfAborted();
  return { requests, failure: result.failed ? last : undefined };
}
