import { createFakeClock, createRecordingLogger } from '@holdfast/core/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createEventRecorder } from './event-recorder.ts';
import { type Exchange, startApiDouble } from './testing/api-double.ts';

/** Waits for what happens on its own; long enough for a machine under load. */
function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 10 });
}

const claim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data', namespace: 'ns', uid: 'uid-1', resourceVersion: '7' },
};

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

function accept(exchange: Exchange): void {
  exchange.reply(exchange.method === 'POST' ? 201 : 200, exchange.body ?? {});
}

/** A server's answer to a patch is the whole event; the recorder only needs its metadata. */
function acceptPatch(exchange: Exchange): void {
  if (exchange.method !== 'PATCH') return accept(exchange);
  exchange.reply(200, {
    metadata: { name: exchange.path.split('/').at(-1), namespace: 'ns', uid: 'u', resourceVersion: '2' },
  });
}

async function setUp(handle: (exchange: Exchange, nth: number) => void = acceptPatch) {
  let count = 0;
  const api = await startApiDouble((exchange) => handle(exchange, count++));
  const clock = createFakeClock();
  const log = createRecordingLogger();
  const recorder = createEventRecorder({ client: api.client, component: 'external-resizer disk', log, clock });
  cleanUps.push(async () => {
    const stopped = recorder.stop();
    await clock.advance(5_000);
    await stopped;
    await api.stop();
  });
  const requests = () => api.exchanges.map((exchange) => `${exchange.method} ${exchange.path.split('/').at(-1)}`);
  return { api, clock, log, recorder, requests };
}

it('writes core/v1 events as upstream does', async () => {
  const { api, recorder } = await setUp();
  recorder.event(claim, 'Warning', 'VolumeResizeFailed', 'no space');
  await recorder.flush();
  expect(api.exchanges[0]?.path).toBe('/api/v1/namespaces/ns/events');
  expect(api.exchanges[0]?.body).toEqual({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `data.${(BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n).toString(16)}`, namespace: 'ns' },
    involvedObject: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      name: 'data',
      namespace: 'ns',
      uid: 'uid-1',
      resourceVersion: '7',
    },
    reason: 'VolumeResizeFailed',
    message: 'no space',
    source: { component: 'external-resizer disk' },
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    count: 1,
    type: 'Warning',
    reportingComponent: 'external-resizer disk',
    reportingInstance: '',
  });
});

it('puts events of cluster-scoped objects into default, under names that the API accepts', async () => {
  const { api, recorder } = await setUp();
  const name = `${'x'.repeat(230)}.${'y'.repeat(22)}`;
  recorder.event({ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name } }, 'Normal', 'R', 'm'.repeat(2_000));
  recorder.event({ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name } }, 'Normal', 'R', 'other');
  await recorder.flush();
  const bodies = api.exchanges.map((exchange) => exchange.body);
  expect(api.exchanges[0]?.path).toBe('/api/v1/namespaces/default/events');
  expect(bodies[0]).toMatchObject({ message: expect.stringMatching(/^m{1023}…$/) });
  const names = bodies.map((body) =>
    typeof body === 'object' && body && 'metadata' in body ? JSON.stringify(body.metadata) : '',
  );
  expect(new Set(names).size).toBe(2);
  for (const each of names) expect(each).toMatch(/"name":"[a-z0-9.]{1,253}"/);
});

describe('many events', () => {
  it('that are identical become a count', async () => {
    const { api, clock, recorder, requests } = await setUp();
    for (let nth = 0; nth < 3; nth++) {
      recorder.event(claim, 'Warning', 'VolumeResizeFailed', 'no space');
      await recorder.flush();
      await clock.advance(60_000);
    }
    const name = requests()[1]?.slice('PATCH '.length);
    expect(requests()).toEqual(['POST events', `PATCH ${name}`, `PATCH ${name}`]);
    expect(api.exchanges[2]?.body).toEqual({ count: 3, lastTimestamp: '2026-01-01T00:02:00Z', message: 'no space' });
  });

  it('that differ in their message are combined from the tenth on', async () => {
    const { api, recorder, requests } = await setUp();
    for (let nth = 1; nth <= 12; nth++) recorder.event(claim, 'Warning', 'Failed', `try ${nth}`);
    await recorder.flush();
    expect(requests().filter((request) => request.startsWith('POST'))).toHaveLength(10);
    expect(
      requests()
        .slice(10)
        .every((request) => request.startsWith('PATCH')),
    ).toBe(true);
    expect(api.exchanges[9]?.body).toMatchObject({ message: '(combined from similar events): try 10' });
    expect(api.exchanges[11]?.body).toMatchObject({ message: '(combined from similar events): try 12', count: 3 });
  });

  it('about one object are cut to 25, then one in five minutes; another object is not held back', async () => {
    const { clock, recorder, requests } = await setUp();
    for (let nth = 0; nth < 60; nth++) recorder.event(claim, 'Warning', 'Failed', 'same');
    await recorder.flush();
    expect(requests()).toHaveLength(25);
    recorder.event({ ...claim, metadata: { ...claim.metadata, name: 'other' } }, 'Warning', 'Failed', 'same');
    await recorder.flush();
    expect(requests()).toHaveLength(26);
    await clock.advance(300_000);
    for (let nth = 0; nth < 5; nth++) recorder.event(claim, 'Warning', 'Failed', 'same');
    await recorder.flush();
    expect(requests()).toHaveLength(27);
  });

  it('never block and never grow: past 1000 waiting they are dropped, and that is logged', async () => {
    const held: Exchange[] = [];
    const { log, recorder, requests } = await setUp((exchange, nth) =>
      nth === 0 ? held.push(exchange) : accept(exchange),
    );
    const about = (nth: number) => ({ ...claim, metadata: { ...claim.metadata, name: `c${nth}` } });
    recorder.event(about(0), 'Normal', 'R', 'm');
    await eventually(() => expect(held).toHaveLength(1));
    for (let nth = 1; nth <= 1_005; nth++) recorder.event(about(nth), 'Normal', 'R', 'm');
    const [first] = held;
    if (first) accept(first);
    await recorder.flush();
    expect(requests()).toHaveLength(1_001);
    expect(log.lines.find((line) => line.message.includes('too many at once'))?.fields.dropped).toBe(5);
  });
});

describe('a server', () => {
  it('that has expired the event gets it anew with the count going on', async () => {
    const { api, recorder, requests } = await setUp((exchange) =>
      exchange.method === 'PATCH' ? exchange.refuse(404, 'NotFound') : accept(exchange),
    );
    recorder.event(claim, 'Normal', 'R', 'm');
    recorder.event(claim, 'Normal', 'R', 'm');
    await recorder.flush();
    expect(requests().map((request) => request.split(' ')[0])).toEqual(['POST', 'PATCH', 'POST']);
    expect(api.exchanges[2]?.body).toMatchObject({ count: 2 });
  });

  it('that refuses is not asked again', async () => {
    const { log, recorder, requests } = await setUp((exchange) => exchange.refuse(403, 'Forbidden'));
    recorder.event(claim, 'Normal', 'R', 'm');
    await recorder.flush();
    expect(requests()).toHaveLength(1);
    expect(log.lines.some((line) => line.message === 'Event dropped' && line.fields.name === 'data')).toBe(true);
  });

  it('that took the event but could not say so is not given it twice', async () => {
    const { api, clock, log, recorder, requests } = await setUp((exchange, nth) => {
      if (nth === 0) exchange.hangUp();
      else if (nth === 1) exchange.refuse(409, 'AlreadyExists');
      else acceptPatch(exchange);
    });
    recorder.event(claim, 'Normal', 'R', 'm');
    recorder.event(claim, 'Normal', 'R', 'm');
    await eventually(() => expect(clock.timers()).toBe(1));
    await clock.advance(10_000);
    await recorder.flush();
    const [first, second] = api.exchanges;
    expect(second?.body).toEqual(first?.body);
    expect(requests()).toEqual(['POST events', 'POST events', expect.stringMatching(/^PATCH data\./)]);
    expect(log.lines.filter((line) => line.level === 'warn')).toEqual([]);
  });

  it('that is away is tried 12 times, 10 s apart, and counts once', async () => {
    const { clock, log, recorder, requests } = await setUp((exchange) => exchange.hangUp());
    recorder.event(claim, 'Normal', 'R', 'm');
    const flushed = vi.fn();
    void recorder.flush().then(flushed);
    await eventually(async () => {
      if (clock.timers() > 0) await clock.advance(10_000);
      expect(flushed).toHaveBeenCalled();
    });
    expect(requests().length).toBeGreaterThanOrEqual(12);
    expect(clock.monotonicMs()).toBe(110_000);
    expect(log.lines.filter((line) => line.message === 'Event dropped')).toHaveLength(1);
  });
});

it('stops in bounded time, even when the server never answers, and takes nothing afterwards', async () => {
  const { clock, log, recorder, requests } = await setUp(() => {});
  for (const message of ['in flight', 'waits', 'waits too']) recorder.event(claim, 'Normal', 'R', message);
  await eventually(() => expect(requests()).toHaveLength(1));
  const stopped = recorder.stop();
  await clock.advance(5_000);
  await stopped;
  expect(log.lines.find((line) => line.message.startsWith('Events dropped'))?.fields.dropped).toBe(2);
  recorder.event(claim, 'Normal', 'R', 'later');
  await recorder.flush();
  expect(requests()).toHaveLength(1);
});

it('logs and drops an event about an object that does not know its kind', async () => {
  const { log, recorder, requests } = await setUp();
  recorder.event({ metadata: { name: 'nameless' } }, 'Normal', 'R', 'm');
  await recorder.flush();
  expect(requests()).toEqual([]);
  expect(log.lines.some((line) => line.level === 'error' && line.fields.name === 'nameless')).toBe(true);
});
