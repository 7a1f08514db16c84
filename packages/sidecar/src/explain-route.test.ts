import type { Explainer, ExplainTopic, Explanation, KeyReport } from '@holdfast/control';
import { silentLogger } from '@holdfast/core';
import { createFakeClock } from '@holdfast/core/testing';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXPLAIN_PATH, explainRoute, type Leadership } from './explain-route.ts';
import { startHttpServer } from './http-server.ts';

const idle: KeyReport = { state: { kind: 'idle' }, failures: 0, lastError: undefined };

function explanation(more: Partial<Explanation> = {}): Explanation {
  return {
    matter: 'provisioning',
    verdict: { standing: 'waiting', text: 'a StorageClass' },
    reason: 'StorageClass fast does not exist',
    key: idle,
    facts: { node: 'n1', none: undefined },
    ...more,
  };
}

function topicOf(known: Record<string, Explanation>, isNamespaced = true): ExplainTopic {
  return {
    kind: isNamespaced ? 'PersistentVolumeClaim' : 'PersistentVolume',
    isNamespaced,
    explain: (name) => (Object.hasOwn(known, name) && known[name] ? [known[name]] : []),
    candidates: () => Object.keys(known),
  };
}

const topics: Explainer = { claim: topicOf({ 'ns/data': explanation() }), volume: topicOf({}, false) };

async function serve(
  explainer: Explainer | undefined = topics,
  leadership: Leadership = { kind: 'leading', lease: 'kube-system/x' },
) {
  const clock = createFakeClock();
  const server = await startHttpServer({
    address: '127.0.0.1:0',
    routes: { [EXPLAIN_PATH]: explainRoute({ explainer: () => explainer, leadership: () => leadership, clock }) },
    log: silentLogger,
    signal: new AbortController().signal,
  });
  onTestFinished(() => server.stop());
  return async (query = '', init: RequestInit = {}) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${EXPLAIN_PATH}${query}`, init);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
}

describe('/debug/explain', () => {
  it('answers in words, as plain text that no browser takes for anything else', async () => {
    const ask = await serve();
    const { status, text, headers } = await ask('?claim=ns/data');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(text).toBe(
      [
        'This replica leads: it holds the lease kube-system/x.',
        '',
        'PersistentVolumeClaim ns/data',
        '',
        'provisioning',
        '  waits for:       a StorageClass',
        '  because:         StorageClass fast does not exist',
        '  now:             looked at again when something changes',
        '  node:            n1',
        '',
      ].join('\n'),
    );
  });

  it.each<[KeyReport, RegExp]>([
    [{ ...idle, state: { kind: 'queued', forMs: 1_500 } }, /now: +in the queue for 1\.5 s/],
    [{ ...idle, state: { kind: 'inWork', forMs: 61_000 } }, /now: +in work for 61 s, since \d{4}-\d\d-\d\dT/],
    [{ ...idle, state: { kind: 'delayed', inMs: 300_000 } }, /now: +tried again in 5 min, at \d{4}-\d\d-\d\dT/],
    [{ ...idle, failures: 3 }, /failed tries: +3 in a row/],
    [{ ...idle, lastError: { message: 'no\nroom', agoMs: 2_000 } }, /last error: +no room \(2\.0 s ago\)/],
  ])('shows where the work stands: %j', async (key, expected) => {
    const ask = await serve({ claim: topicOf({ 'ns/data': explanation({ key }) }) });
    expect((await ask('?claim=ns/data')).text).toMatch(expected);
  });

  it('lists what waits or is in work, a line each, and nothing that is settled', async () => {
    const settled = { standing: 'settled', text: 'there is nothing to do' } as const;
    const ask = await serve({
      claim: topicOf({
        'ns/waits': explanation(),
        'ns/settled': explanation({ verdict: settled, key: { ...idle, state: { kind: 'delayed', inMs: 1 } } }),
        'ns/works': explanation({ verdict: settled, key: { ...idle, state: { kind: 'inWork', forMs: 1 } } }),
      }),
    });
    const { text } = await ask();
    expect(text).toMatch(
      /^claim=ns\/waits provisioning: waits for: a StorageClass \(StorageClass fast does not exist\); looked at again when something changes$/m,
    );
    expect(text).toMatch(/^claim=ns\/works /m);
    expect(text).not.toContain('ns/settled');
  });

  it('cuts a list that nobody would read', async () => {
    const many = Array.from({ length: 1_500 }, (_, index) => [`ns/claim-${index}`, explanation()] as const);
    const { text } = await (await serve({ claim: topicOf(Object.fromEntries(many)) }))();
    expect(text.match(/^claim=/gm)).toHaveLength(1_000);
    expect(text).toMatch(/^and 500 more$/m);
  });

  it('says that nothing waits, and what to ask', async () => {
    const { text } = await (await serve({ claim: topicOf({}) }))();
    expect(text).toMatch(/Nothing waits\.\nAsk for \/debug\/explain\?claim=NAMESPACE\/NAME/);
  });

  it.each([
    ['?claim=data', 400, /"data" does not name a PersistentVolumeClaim: write claim=NAMESPACE\/NAME/],
    ['?claim=', 400, /write claim=NAMESPACE\/NAME/],
    ['?claim=a/b/c', 400, /write claim=NAMESPACE\/NAME/],
    ['?claim=../etc', 400, /write claim=NAMESPACE\/NAME/],
    ['?volume=a/b', 400, /write volume=NAME/],
    [
      '?pod=a',
      400,
      /Nothing is known here by the word "pod"[^]*claim=NAMESPACE\/NAME, or \/debug\/explain\?volume=NAME/,
    ],
    ['?constructor=a', 400, /by the word "constructor"/],
    ['?claim=ns/a&claim=ns/b', 400, /one object at a time/],
    ['?%00%0a=%', 400, /by the word " "/],
    ['?claim=ns/other', 404, /No PersistentVolumeClaim ns\/other is known here/],
    ['?volume=constructor', 404, /No PersistentVolume constructor/],
  ])('%s is answered with %d', async (query, status, message) => {
    const answer = await (await serve())(query);
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(message);
    expect(answer.text).toMatch(/Ask for \/debug\/explain\?claim=NAMESPACE\/NAME/);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('refuses %s', async (method) => {
    const { status, headers } = await (await serve())('?claim=ns/data', { method });
    expect(status).toBe(405);
    expect(headers.get('allow')).toBe('GET, HEAD');
  });

  it('answers HEAD without a body', async () => {
    const { status, text } = await (await serve())('?claim=ns/data', { method: 'HEAD' });
    expect({ status, text }).toEqual({ status: 200, text: '' });
  });

  it('names who leads when this replica does not, and says so while it starts', async () => {
    const standing = await serve(undefined, { kind: 'standingBy', lease: 'kube-system/x', holder: 'pod-2' });
    expect((await standing('?claim=ns/data')).text).toMatch(
      /stands by: ask "pod-2", which holds the lease kube-system\/x/,
    );
    const nobody = await serve(undefined, { kind: 'standingBy', lease: 'kube-system/x', holder: '' });
    expect((await nobody()).text).toMatch(/nobody is seen to hold the lease kube-system\/x/);
  });

  it('holds out whatever is asked', async () => {
    const ask = await serve();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 400 }), async (value) => {
        const { status, text } = await ask(`?claim=${encodeURIComponent(value.toWellFormed())}`);
        expect([400, 404]).toContain(status);
        expect(text.length).toBeLessThan(3_000);
        expect(text).not.toMatch(/[^\P{Cc}\n]/u);
      }),
      { numRuns: 50 },
    );
  });
});
