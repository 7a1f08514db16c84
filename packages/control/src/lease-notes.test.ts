import { createFakeClock, createRecordingLogger } from '@holdfast/core/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLeaderElector } from './leader-election.ts';
import type { LeaseNotes } from './lease-notes.ts';
import { createStandaloneNotes } from './standalone-notes.ts';
import { type Exchange, startApiDouble } from './testing/api-double.ts';

const KEY = 'example.com/doing';
const { signal } = new AbortController();

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface LeaseBody {
  metadata: { name: string; resourceVersion?: string; annotations?: Record<string, string> };
  spec?: Record<string, unknown>;
}

function isLease(body: unknown): body is LeaseBody {
  return typeof body === 'object' && body !== null && 'metadata' in body;
}

/** One lease behind HTTP, which somebody else may write too. */
async function startServer() {
  let lease: LeaseBody | undefined;
  let version = 0;
  let gate: Promise<void> | undefined;
  let isForbidden = false;
  const writes: string[] = [];
  const put = (body: LeaseBody): LeaseBody => {
    version += 1;
    lease = { ...body, metadata: { ...body.metadata, resourceVersion: String(version) } };
    return lease;
  };
  async function handle(exchange: Exchange): Promise<void> {
    const { method, body } = exchange;
    if (method !== 'GET') writes.push(method);
    if (method !== 'GET') await gate;
    if (isForbidden) exchange.refuse(403, 'Forbidden');
    else if (method === 'GET' && !lease) exchange.refuse(404, 'NotFound');
    else if (method === 'GET') exchange.reply(200, lease);
    else if (!isLease(body)) exchange.refuse(400, 'BadRequest');
    else if (method === 'POST') exchange.reply(201, put(body));
    else if (body.metadata.resourceVersion !== lease?.metadata.resourceVersion) exchange.refuse(409, 'Conflict');
    else exchange.reply(200, put(body));
  }
  const api = await startApiDouble((exchange) => void handle(exchange));
  cleanUps.push(() => api.stop());
  return {
    client: api.client,
    writes,
    annotations: () => lease?.metadata.annotations ?? {},
    /** Writes the lease as the Go sidecar does: annotations stay, the time goes on. */
    renewByAnother() {
      if (lease)
        put({ ...lease, spec: { ...lease.spec, holderIdentity: '', renewTime: '2030-01-01T00:00:00.000000Z' } });
    },
    hold(until: Promise<void>) {
      gate = until;
    },
    forbid() {
      isForbidden = true;
    },
  };
}

type Server = Awaited<ReturnType<typeof startServer>>;

/** Leads until `stop`, and gives what a leader keeps its notes by. */
async function lead(server: Server, identity: string): Promise<{ notes: LeaseNotes; stop: () => Promise<void> }> {
  const leading = Promise.withResolvers<LeaseNotes>();
  const abort = new AbortController();
  const elector = createLeaderElector({
    client: server.client,
    leaseName: 'lock',
    namespace: 'kube-system',
    identity,
    leaseDurationMs: 15_000,
    renewDeadlineMs: 10_000,
    retryPeriodMs: 5_000,
    releaseOnExit: true,
    async onStartedLeading(until, _, notes) {
      leading.resolve(notes);
      await new Promise((resolve) => until.addEventListener('abort', resolve, { once: true }));
    },
    log: createRecordingLogger(),
    clock: createFakeClock(),
    signal: abort.signal,
  });
  const ended = elector.run();
  const stop = async () => {
    abort.abort(new Error('the test stops'));
    await ended;
  };
  cleanUps.push(stop);
  return { notes: await leading.promise, stop };
}

describe('a leader’s notes', () => {
  it('are on the lease when store resolves, and with the next holder', async () => {
    const server = await startServer();
    const first = await lead(server, 'a');
    let text: string | undefined = 'one';
    first.notes.keep(KEY, () => text);
    expect(first.notes.isStored(KEY)).toBe(false);
    await first.notes.store(signal);
    expect(server.annotations()[KEY]).toBe('one');
    expect(first.notes.isStored(KEY)).toBe(true);
    await first.stop();

    const second = await lead(server, 'b');
    expect(second.notes.read(KEY)).toEqual({ text: 'one', isCurrent: true });
    text = undefined;
    second.notes.keep(KEY, () => text);
    await second.notes.store(signal);
    expect(server.annotations()).toEqual({});
  });

  it('are written once for all who ask while a write is under way', async () => {
    const server = await startServer();
    const { notes } = await lead(server, 'a');
    const held = Promise.withResolvers<void>();
    server.writes.length = 0;
    server.hold(held.promise);
    let count = 0;
    notes.keep(KEY, () => String(count));
    const ask = () => {
      count += 1;
      return notes.store(signal);
    };
    const first = ask();
    await vi.waitFor(() => expect(server.writes).toHaveLength(1));
    const others = Array.from({ length: 50 }, ask);
    held.resolve();
    await Promise.all([first, ...others]);
    expect(server.writes).toHaveLength(2);
    expect(server.annotations()[KEY]).toBe('51');
  });

  it('are not current once somebody else has held the lease', async () => {
    const server = await startServer();
    const first = await lead(server, 'a');
    first.notes.keep(KEY, () => 'old');
    await first.notes.store(signal);
    await first.stop();
    server.renewByAnother();
    const second = await lead(server, 'b');
    expect(second.notes.read(KEY)).toEqual({ text: 'old', isCurrent: false });
  });

  it('that cannot be stored any more say so', async () => {
    const server = await startServer();
    const { notes, stop } = await lead(server, 'a');
    server.hold(new Promise(() => {}));
    notes.keep(KEY, () => 'text');
    const stored = notes.store(AbortSignal.timeout(50));
    await expect(stored).rejects.toThrow();
    server.hold(Promise.resolve());
    await stop();
  });
});

describe('without leader election', () => {
  function standalone(server: Server) {
    const log = createRecordingLogger();
    const clock = createFakeClock();
    const deps = { client: server.client, leaseName: 'lock', namespace: 'kube-system', log, clock };
    return { ...createStandaloneNotes(deps), log, clock };
  }

  it('they are on the same lease, held by nobody', async () => {
    const server = await startServer();
    await standalone(server).run(async (notes) => {
      notes.keep(KEY, () => 'one');
      await notes.store(signal);
      expect(server.annotations()[KEY]).toBe('one');
      server.renewByAnother();
      // A conflict is read and tried again.
      await notes.store(signal);
    }, signal);
    await standalone(server).run(async (notes) => {
      expect(notes.read(KEY)).toEqual({ text: 'one', isCurrent: true });
    }, signal);
  });

  it('what nobody waits for costs no write of its own: it goes with the next one, or at the end', async () => {
    const server = await startServer();
    const { run, clock } = standalone(server);
    let text: string | undefined = 'one';
    await run(async (notes) => {
      notes.keep(KEY, () => text);
      await notes.store(signal);
      text = 'two';
      notes.touch();
      await clock.advance(24 * 3_600_000);
      expect(clock.timers()).toBe(0);
      expect(server.writes).toHaveLength(1);
      text = 'three';
      await notes.store(signal);
      expect(server.annotations()[KEY]).toBe('three');
      expect(server.writes).toHaveLength(2);
      text = undefined;
      notes.touch();
    }, signal);
    expect(server.annotations()[KEY]).toBeUndefined();
    expect(server.writes).toHaveLength(3);
  });

  it('a role without leases is told once, and the work goes on', async () => {
    const server = await startServer();
    server.forbid();
    const { run, log } = standalone(server);
    await run(async (notes) => {
      notes.keep(KEY, () => 'one');
      await notes.store(signal);
      expect(notes.isStored(KEY)).toBe(true);
    }, signal);
    expect(log.lines.filter(({ message }) => message.includes('Not allowed'))).toHaveLength(1);
    expect(server.writes).toEqual([]);
  });
});
