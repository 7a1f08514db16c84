import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startRawApi } from '../../testing/raw-api.ts';
import { ApiError } from '../status.ts';
import { decodeProtobuf } from './decode.ts';

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest]);
}

function field(number: number, value: number | string | Buffer): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

const message = (...fields: Buffer[]): Buffer => Buffer.concat(fields);

function enveloped(apiVersion: string, kind: string, raw: Buffer): Buffer {
  return message(Buffer.from('k8s\0'), field(1, message(field(1, apiVersion), field(2, kind))), field(2, raw));
}

describe('a protobuf body', () => {
  it('of a volume is its JSON, without what Go sends empty', () => {
    const csi = message(
      field(1, 'd.csi'),
      field(2, 'h'),
      field(3, 0),
      field(4, ''),
      field(5, message(field(1, 'k'), field(2, ''))),
    );
    const term = message(field(1, message(field(1, 'zone'), field(2, 'In'), field(3, 'a'), field(3, 'b'))));
    const spec = message(
      field(1, message(field(1, 'storage'), field(2, field(1, '1Gi')))),
      field(2, field(22, csi)),
      field(3, 'ReadWriteOnce'),
      field(4, message(field(1, 'PersistentVolumeClaim'), field(2, 'ns'), field(3, 'data'), field(4, 'u'))),
      field(9, field(1, field(1, term))),
    );
    const meta = message(field(1, 'pv'), field(3, ''), field(8, Buffer.alloc(0)), field(14, 'x.y/z'));
    expect(decodeProtobuf(enveloped('v1', 'PersistentVolume', message(field(1, meta), field(2, spec))))).toEqual({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'pv', finalizers: ['x.y/z'] },
      spec: {
        capacity: { storage: '1Gi' },
        csi: { driver: 'd.csi', volumeHandle: 'h', volumeAttributes: { k: '' } },
        accessModes: ['ReadWriteOnce'],
        claimRef: { kind: 'PersistentVolumeClaim', namespace: 'ns', name: 'data', uid: 'u' },
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a', 'b'] }] }],
          },
        },
      },
    });
  });

  it('of a lease keeps its microseconds', () => {
    const time = message(field(1, 1767323045), field(2, 123_456_789));
    const spec = message(field(1, 'me'), field(2, 15), field(4, time), field(5, 0));
    const lease = message(field(1, field(1, 'l')), field(2, spec));
    expect(decodeProtobuf(enveloped('coordination.k8s.io/v1', 'Lease', lease))['spec']).toEqual({
      holderIdentity: 'me',
      leaseDurationSeconds: 15,
      renewTime: '2026-01-02T03:04:05.123456Z',
      leaseTransitions: 0,
    });
  });

  it('is served like its JSON', async () => {
    const api = await startRawApi();
    try {
      const secret = message(field(1, field(1, 's')), field(2, message(field(1, 'key'), field(2, 'value'))));
      const response = await fetch(`${api.server.url}/api/v1/namespaces/default/secrets`, {
        method: 'POST',
        headers: { authorization: 'Bearer secret', 'content-type': 'application/vnd.kubernetes.protobuf' },
        body: new Uint8Array(enveloped('v1', 'Secret', secret)),
      });
      expect(response.status).toBe(201);
      expect(await response.json()).toMatchObject({ data: { key: 'dmFsdWU=' }, type: 'Opaque' });
    } finally {
      await api.stop();
    }
  });

  it('of a claim keeps its whole spec, so that a PUT of what was read changes nothing', async () => {
    const claims = '/api/v1/namespaces/default/persistentvolumeclaims';
    const api = await startRawApi();
    const headers = { authorization: 'Bearer secret', 'content-type': 'application/json' };
    const reference = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' };
    const written = {
      metadata: { name: 'data', annotations: { 'volume.kubernetes.io/selected-node': 'node-a' } },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { limits: { storage: '2Gi' }, requests: { storage: '1Gi' } },
        volumeName: 'pv',
        selector: { matchLabels: { tier: 'fast' } },
        storageClassName: 'kept',
        volumeMode: 'Block',
        dataSource: reference,
        dataSourceRef: reference,
        volumeAttributesClassName: 'gold',
      },
    };
    try {
      const created = await fetch(`${api.server.url}${claims}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(written),
      });
      expect(created.status).toBe(201);
      const quantity = (number: number, value: string): Buffer =>
        field(number, message(field(1, 'storage'), field(2, field(1, value))));
      const source = message(field(1, reference.apiGroup), field(2, reference.kind), field(3, reference.name));
      const spec = message(
        field(1, 'ReadWriteOnce'),
        field(2, message(quantity(1, '2Gi'), quantity(2, '1Gi'))),
        field(3, 'pv'),
        field(4, field(1, message(field(1, 'tier'), field(2, 'fast')))),
        field(5, 'kept'),
        field(6, 'Block'),
        field(7, source),
        field(8, source),
        field(9, 'gold'),
      );
      const status = message(field(1, 'Pending'));
      const claim = message(field(1, message(field(1, 'data'))), field(2, spec), field(3, status));
      const put = await fetch(`${api.server.url}${claims}/data`, {
        method: 'PUT',
        headers: { ...headers, 'content-type': 'application/vnd.kubernetes.protobuf' },
        body: new Uint8Array(enveloped('v1', 'PersistentVolumeClaim', claim)),
      });
      expect(put.status).toBe(200);
      const answer: unknown = await put.json();
      expect(answer).toMatchObject({ spec: written.spec, status: { phase: 'Pending' } });
      expect(answer).not.toHaveProperty('metadata.annotations');
    } finally {
      await api.stop();
    }
  });

  it('of a kind that is only read as JSON is refused with 415', () => {
    expect(() => decodeProtobuf(enveloped('apps/v1', 'Deployment', Buffer.alloc(0)))).toThrow(
      expect.objectContaining({ code: 415 }),
    );
  });

  it('that is damaged is refused with 400, whatever the damage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeProtobuf(enveloped('v1', 'Event', Buffer.from(bytes)));
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
          expect(error).toMatchObject({ code: 400 });
        }
      }),
    );
    expect(() => decodeProtobuf(Buffer.from('{}'))).toThrow('not protobuf');
  });
});
