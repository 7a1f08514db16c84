import { createFakeClock, type FakeClock } from '@holdfast/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RawApi, type RawReply, startRawApi } from '../../testing/raw-api.ts';
import { type JsonObject, objectAt, stringAt } from '../json.ts';
import { issuer } from './account-tokens.ts';

let api: RawApi;
let clock: FakeClock;
const accounts = '/api/v1/namespaces/default/serviceaccounts';
const pods = '/api/v1/namespaces/default/pods';

beforeEach(async () => {
  clock = createFakeClock(Date.parse('2026-01-02T03:04:05Z'));
  api = await startRawApi({ clock });
  await api.call('POST', accounts, { metadata: { name: 'robot' } });
});
afterEach(() => api.stop());

function ask(spec: JsonObject = {}, metadata: JsonObject = {}): Promise<RawReply> {
  return api.call('POST', `${accounts}/robot/token`, { metadata, spec });
}

async function tokenFor(spec: JsonObject = {}): Promise<string> {
  const { status, body } = await ask(spec);
  expect(status).toBe(201);
  return stringAt(body, 'status', 'token') ?? '';
}

/** What the server says of the bearer; a status other than 201 where it does not know them. */
async function whoIs(token: string): Promise<JsonObject | number> {
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const { status, body } = await api.call('POST', path, {}, { authorization: `Bearer ${token}` });
  return objectAt(body, 'status', 'userInfo') ?? status;
}

function claimsOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

describe('a token of a service account', () => {
  it('is given with its expiry, and says who it is for', async () => {
    const { metadata } = (await api.call('GET', `${accounts}/robot`)).body;
    const uid = stringAt(metadata, 'uid');
    const { status, body } = await ask();
    expect(status).toBe(201);
    expect(body).toEqual({
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name: 'robot', namespace: 'default', uid, creationTimestamp: '2026-01-02T03:04:05Z' },
      spec: { audiences: [issuer], expirationSeconds: 3600, boundObjectRef: null },
      status: { token: expect.any(String), expirationTimestamp: '2026-01-02T04:04:05Z' },
    });
    const now = clock.nowMs() / 1000;
    expect(claimsOf(stringAt(body, 'status', 'token') ?? '')).toEqual({
      iss: issuer,
      sub: 'system:serviceaccount:default:robot',
      aud: [issuer],
      iat: now,
      nbf: now,
      exp: now + 3600,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'robot', uid } },
    });
  });

  it('logs the account in, with its groups', async () => {
    const { metadata } = (await api.call('GET', `${accounts}/robot`)).body;
    expect(await whoIs(await tokenFor())).toEqual({
      username: 'system:serviceaccount:default:robot',
      uid: stringAt(metadata, 'uid'),
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^JTI=[0-9a-f-]{36}$/)] },
    });
  });

  it('ends a minute after its time, as far as clocks may be apart', async () => {
    const token = await tokenFor({ expirationSeconds: 600 });
    await clock.advance(660_000);
    expect(await whoIs(token)).toMatchObject({ username: 'system:serviceaccount:default:robot' });
    await clock.advance(1000);
    expect(await whoIs(token)).toBe(401);
  });

  it('ends with its account, and is none of one that is made again', async () => {
    const token = await tokenFor();
    await api.call('DELETE', `${accounts}/robot`);
    expect(await whoIs(token)).toBe(401);
    await api.call('POST', accounts, { metadata: { name: 'robot' } });
    expect(await whoIs(token)).toBe(401);
    expect(await whoIs(await tokenFor())).toMatchObject({ username: 'system:serviceaccount:default:robot' });
  });

  it('ends with the pod it is bound to', async () => {
    const spec = { serviceAccountName: 'robot', containers: [{ name: 'c', image: 'i' }] };
    const pod = (await api.call('POST', pods, { metadata: { name: 'web' }, spec })).body;
    const uid = stringAt(pod, 'metadata', 'uid');
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'web' };
    const token = await tokenFor({ boundObjectRef });
    expect(await whoIs(token)).toMatchObject({
      extra: {
        'authentication.kubernetes.io/pod-name': ['web'],
        'authentication.kubernetes.io/pod-uid': [uid],
      },
    });
    expect((await ask({ boundObjectRef: { ...boundObjectRef, uid: 'other' } })).status).toBe(409);
    await api.call('DELETE', `${pods}/web?gracePeriodSeconds=0`);
    expect(await whoIs(token)).toBe(401);
    expect((await ask({ boundObjectRef })).body).toMatchObject({ code: 404, message: 'pods "web" not found' });
  });

  it('is for whom it says alone', async () => {
    expect(await whoIs(await tokenFor({ audiences: ['vault'] }))).toBe(401);
    expect(await whoIs(await tokenFor({ audiences: ['vault', issuer] }))).toMatchObject({ groups: expect.any(Array) });
  });

  it('is believed unchanged and from this server only', async () => {
    const token = await tokenFor();
    const [header = '', , signature = ''] = token.split('.');
    const forged = Buffer.from(JSON.stringify({ ...Object(claimsOf(token)), exp: 2 ** 40 })).toString('base64url');
    expect(await whoIs(`${header}.${forged}.${signature}`)).toBe(401);
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    expect(await whoIs(`${none}.${token.split('.')[1] ?? ''}.`)).toBe(401);
    const other = await startRawApi({ clock });
    try {
      const reply = await other.call('GET', accounts, undefined, { authorization: `Bearer ${token}` });
      expect(reply.status).toBe(401);
    } finally {
      await other.stop();
    }
  });
});

describe('a request for a token', () => {
  it.each([
    ['too short a life', { expirationSeconds: 599 }, {}, 422, /599: may not specify a duration less than 10 minutes/],
    ['too long a life', { expirationSeconds: 2 ** 32 + 1 }, {}, 422, /may not specify a duration larger than 2\^32/],
    ['a life that is no number', { expirationSeconds: 'x' }, {}, 400, /TokenRequestSpec?.*expirationSeconds of type/],
    [
      'the name of another',
      {},
      { name: 'x' },
      422,
      /metadata.name: Invalid value: "x": must match the service account/,
    ],
    ['the uid of another', {}, { uid: 'x' }, 409, /the UID in the token request \(x\) does not match/],
    [
      'what tokens cannot be bound to',
      { boundObjectRef: { kind: 'ConfigMap', apiVersion: 'v1', name: 'x' } },
      {},
      400,
      /cannot bind token to object of type \/v1, Kind=ConfigMap/,
    ],
  ])('is refused with %s', async (_, spec, metadata, code, message) => {
    const { status, body } = await ask(spec, metadata);
    expect(status).toBe(code);
    expect(body['message']).toMatch(message);
  });

  it('needs an account, and is a POST', async () => {
    expect((await api.call('POST', `${accounts}/nobody/token`, { spec: {} })).body).toMatchObject({
      code: 404,
      message: 'serviceaccounts "nobody" not found',
    });
    expect((await api.call('GET', `${accounts}/robot/token`)).status).toBe(405);
  });
});
