import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawApi, startRawApi } from '../testing/raw-api.ts';
import type { JsonObject, JsonValue } from './json.ts';

const claims = '/api/v1/namespaces/default/persistentvolumeclaims';
const pods = '/api/v1/namespaces/default/pods';

function claim(metadata: JsonObject): JsonObject {
  return { metadata, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } };
}

let api: RawApi;
beforeAll(async () => {
  api = await startRawApi();
  expect((await api.call('POST', claims, claim({ name: 'bound' }))).status).toBe(201);
});
afterAll(() => api.stop());

interface Case {
  readonly asks: string;
  readonly method: string;
  readonly path: string;
  readonly body?: JsonValue | string;
  readonly headers?: Record<string, string>;
  readonly status: number;
  readonly message: string;
}

const refused: readonly Case[] = [
  {
    asks: 'a field there is not, strictly',
    method: 'POST',
    path: '/api/v1/namespaces/default/configmaps?fieldValidation=Strict',
    body: { metadata: { name: 'x', bogus: 1 }, dat: {} },
    status: 400,
    message:
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "metadata.bogus", unknown field "dat"',
  },
  {
    asks: 'a patch of a field there is not, strictly',
    method: 'PATCH',
    path: `${claims}/bound?fieldValidation=Strict`,
    body: { spec: { volumenName: 'x' } },
    headers: { 'content-type': 'application/merge-patch+json' },
    status: 422,
    message: 'strict decoding error: unknown field "spec.volumenName"',
  },
  {
    asks: 'to apply a field there is not',
    method: 'PATCH',
    path: `${claims}/bound?fieldManager=me`,
    body: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'bound' }, spec: { volumenName: 'x' } },
    headers: { 'content-type': 'application/apply-patch+yaml' },
    status: 500,
    message: 'failed to create typed patch object (/bound; /v1, Kind=PersistentVolumeClaim): .spec.volumenName',
  },
  {
    asks: 'a kind of field validation there is not',
    method: 'POST',
    path: `${claims}?fieldValidation=Maybe`,
    body: {},
    status: 422,
    message: 'fieldValidation: Unsupported value: "Maybe"',
  },
  {
    asks: 'a field of the wrong type',
    method: 'POST',
    path: pods,
    body: { metadata: { name: 'x' }, spec: { containers: 7 } },
    status: 400,
    message: 'json: cannot unmarshal number into Go struct field PodSpec.spec.containers of type []v1.Container',
  },
  {
    asks: 'a body that is too deep',
    method: 'POST',
    path: claims,
    body: `{"metadata":${'['.repeat(600)}${']'.repeat(600)}}`,
    status: 400,
    message: 'exceeded max depth',
  },
  {
    asks: 'a name to generate from that makes none',
    method: 'POST',
    path: claims,
    body: claim({ generateName: `${'g'.repeat(300)}-` }),
    status: 422,
    message: 'metadata.generateName: Invalid value',
  },
  {
    asks: 'to delete a namespace the cluster needs',
    method: 'DELETE',
    path: '/api/v1/namespaces/kube-system',
    status: 403,
    message: 'namespaces "kube-system" is forbidden: this namespace may not be deleted',
  },
  {
    asks: 'a grace period that is no number',
    method: 'DELETE',
    path: `${claims}/bound`,
    body: { gracePeriodSeconds: 'soon' },
    status: 400,
    message: 'cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64',
  },
  {
    asks: 'a propagation policy there is not',
    method: 'DELETE',
    path: `${claims}/bound`,
    body: { propagationPolicy: 'Sometimes' },
    status: 422,
    message: 'propagationPolicy: Unsupported value: "Sometimes"',
  },
  {
    asks: 'to continue a list of another server',
    method: 'GET',
    path: `${claims}?continue=${Buffer.from('{"rv":99999999,"start":""}').toString('base64url')}`,
    status: 410,
    message: 'continue parameter is too old',
  },
  {
    asks: 'for a kind there is not, in protobuf',
    method: 'POST',
    path: '/apis/storage.k8s.io/v1/namespaces/default/deployments',
    body: 'k8s\0\n\x15\n\x07apps/v1\x12\nDeployment',
    headers: { 'content-type': 'application/vnd.kubernetes.protobuf' },
    status: 404,
    message: 'the server could not find the requested resource',
  },
  {
    asks: 'to run a command in a pod',
    method: 'POST',
    path: `${pods}/web/exec?command=ls`,
    status: 501,
    message: 'the sandbox does not serve exec on pods',
  },
];

describe('what is sent', () => {
  it.each(refused)(
    'is refused where it asks $asks: $status',
    async ({ method, path, body, headers, status, message }) => {
      const before = api.server.storage.revision;
      const reply = await api.call(method, path, body, headers);
      expect(reply.body).toMatchObject({ kind: 'Status', code: status, message: expect.stringContaining(message) });
      expect(reply.status).toBe(status);
      expect(api.server.storage.revision).toBe(before);
    },
  );

  it('is warned of a field there is not, which is not kept', async () => {
    const path = '/api/v1/namespaces/default/configmaps';
    const odd = { metadata: { name: 'warned' }, 'dät\n"': 1, data: { a: 'b' } };
    const { status, body, headers } = await api.call('POST', path, odd);
    expect(status).toBe(201);
    expect(Object.keys(body).sort()).toEqual(['apiVersion', 'data', 'kind', 'metadata']);
    expect(headers.get('warning')).toBe('299 - "unknown field \\"d?t\\\\n\\\\\\"\\""');
    const silent = await api.call('PUT', `${path}/warned?fieldValidation=Ignore`, odd);
    expect([silent.status, silent.headers.get('warning')]).toEqual([200, null]);
  });

  it('reads a long selector in no time', async () => {
    const many = Array.from({ length: 20_000 }, (_, index) => `v${index}`).join(',');
    const selector = encodeURIComponent(`a in (${many}),b`);
    expect((await api.call('GET', `${claims}?labelSelector=${selector}`)).status).toBe(200);
  });
});
