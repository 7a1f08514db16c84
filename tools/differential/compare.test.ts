import { describe, expect, it } from 'vitest';
import { compareReplies } from './compare.ts';
import { createLedger } from './ledger.ts';
import { createNormaliser, type PlainReply } from './normalise.ts';
import type { JsonValue } from './script.ts';

function reply(body: object, headers: Record<string, string> = {}) {
  return { status: 200, headers: { 'content-type': 'application/json', ...headers }, text: JSON.stringify(body) };
}

function plain(body: JsonValue, status = 200): PlainReply {
  return { status, headers: {}, body };
}

const object = (resourceVersion: string) => ({
  metadata: {
    name: 'a',
    uid: '00000000-0000-4000-8000-000000000001',
    resourceVersion,
    creationTimestamp: new Date().toISOString(),
  },
});

describe('what two servers cannot have in common', () => {
  it('is replaced: uids, times, and versions by their order', () => {
    const normaliser = createNormaliser();
    expect(normaliser.normalise(reply(object('5'))).body).toMatchObject({
      metadata: { uid: 'uid a 1', resourceVersion: 'version 1', creationTimestamp: '<now, with fractions>' },
    });
    expect(normaliser.normalise(reply(object('9'))).body).toMatchObject({ metadata: { resourceVersion: 'version 2' } });
    expect(normaliser.normalise(reply(object('5'))).body).toMatchObject({ metadata: { resourceVersion: 'version 1' } });
    expect(normaliser.normalise(reply(object('7'))).body).toMatchObject({
      metadata: { resourceVersion: 'version 3, older than one before' },
    });
  });

  it('shows a list that is older than what is in it', () => {
    const list = { metadata: { resourceVersion: '4' }, items: [object('5')] };
    expect(createNormaliser().normalise(reply(list)).body).toMatchObject({ '<list version>': 'older than an item' });
  });
});

describe('a comparison', () => {
  it('names each place that differs', () => {
    const differences = compareReplies(plain({ a: { b: [1, 2] }, c: null }, 201), plain({ a: { b: [1] } }), true);
    expect(differences.map(({ path }) => path)).toEqual(['status', 'body.a.b[1]', 'body.c']);
  });

  it('takes an object beside a refusal as one difference', () => {
    const differences = compareReplies(plain({ kind: 'Pod' }), plain({ kind: 'Status', code: 404 }), true);
    expect(differences.map(({ path }) => path)).toEqual(['body']);
  });
});

describe('the ledger', () => {
  const accepted = { what: 'w', why: 'y', where: /^topic .* \/ body\.a$/ };

  it('fails a request that differs elsewhere too, and an entry that is met nowhere', () => {
    const ledger = createLedger([accepted]);
    expect(ledger.unused()).toEqual([accepted]);
    const a = { path: 'body.a', sandbox: 1, kubernetes: 2 };
    expect(ledger.enter('topic / GET /', [a])).toEqual([]);
    expect(ledger.unused()).toEqual([]);
    expect(ledger.enter('topic / GET /', [a, { ...a, path: 'body.b' }])).toEqual(['body.b: sandbox 1, kubernetes 2']);
    expect({ passed: ledger.passed, failed: ledger.failed }).toEqual({ passed: 1, failed: 1 });
  });
});
