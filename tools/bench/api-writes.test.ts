import { describe, expect, it } from 'vitest';
import type { AuditedRequest } from '../rig/contract.ts';
import { countWrites } from './api-writes.ts';

function request(fields: Partial<AuditedRequest>): AuditedRequest {
  return {
    verb: 'patch',
    resource: 'persistentvolumes',
    subresource: '',
    namespace: '',
    name: 'pv-1',
    userAgent: 'csi-attacher/v4.13.0 (linux/amd64) kubernetes/$Format',
    user: 'admin',
    code: 200,
    ...fields,
  };
}

describe('countWrites', () => {
  it('counts by verb, resource and subresource, with events apart', () => {
    const count = countWrites(
      [
        request({}),
        request({}),
        request({ resource: 'volumeattachments', subresource: 'status' }),
        request({ verb: 'create', resource: 'events', code: 201 }),
      ],
      'csi-attacher',
    );
    expect(Object.fromEntries(count.byKind)).toEqual({
      'create events': 1,
      'patch persistentvolumes': 2,
      'patch volumeattachments/status': 1,
    });
    expect(count).toMatchObject({ writes: 3, events: 1, failed: 0 });
  });

  it('counts what the server refused, and says how many', () => {
    expect(countWrites([request({ code: 409 }), request({})], 'csi-attacher')).toMatchObject({ writes: 2, failed: 1 });
  });

  it('counts leases apart', () => {
    const requests = [request({ verb: 'update', resource: 'leases' }), request({ verb: 'get', resource: 'leases' })];
    expect(countWrites([...requests, request({})], 'csi-attacher')).toMatchObject({ writes: 1, leases: 1 });
  });

  it.each<[string, Partial<AuditedRequest>]>([
    ['a read', { verb: 'get' }],
    ['a watch', { verb: 'watch' }],
    ['a lease', { verb: 'update', resource: 'leases' }],
    ['another program', { userAgent: 'csi-provisioner/0.1.0' }],
    ['a program whose name only begins alike', { userAgent: 'csi-attacher-too/1' }],
  ])('leaves out %s', (_what, fields) => {
    expect(countWrites([request(fields)], 'csi-attacher')).toMatchObject({ writes: 0, events: 0 });
  });
});
