import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAuditLog, readAuditLog } from './audit-log.ts';

const patch = {
  kind: 'Event',
  apiVersion: 'audit.k8s.io/v1',
  level: 'Metadata',
  auditID: 'a-1',
  stage: 'ResponseComplete',
  verb: 'patch',
  user: { username: 'system:serviceaccount:holdfast-system:csi-attacher' },
  userAgent: 'csi-attacher/0.1.0',
  objectRef: { resource: 'volumeattachments', subresource: 'status', name: 'csi-1', apiGroup: 'storage.k8s.io' },
  responseStatus: { metadata: {}, code: 200 },
};

describe('parseAuditLog', () => {
  it('reads an event of kube-apiserver', () => {
    expect(parseAuditLog(`${JSON.stringify(patch)}\n`)).toEqual([
      {
        verb: 'patch',
        resource: 'volumeattachments',
        subresource: 'status',
        namespace: '',
        name: 'csi-1',
        userAgent: 'csi-attacher/0.1.0',
        user: 'system:serviceaccount:holdfast-system:csi-attacher',
        code: 200,
      },
    ]);
  });

  it('reads a request about no object, from nobody', () => {
    const { objectRef: _objectRef, user: _user, ...version } = patch;
    expect(parseAuditLog(`${JSON.stringify(version)}\n`)).toMatchObject([{ resource: '', name: '', user: '' }]);
  });

  it('reads a line of the sandbox', () => {
    const line = { verb: 'list', resource: 'pods', namespace: 'ns', userAgent: 'rig/1', user: 'admin', code: 403 };
    expect(parseAuditLog(`${JSON.stringify(line)}\n`)).toEqual([{ ...line, subresource: '', name: '' }]);
  });

  it('leaves out a line that is being written', () => {
    const line = JSON.stringify(patch);
    expect(parseAuditLog(`${line}\n${line.slice(0, 40)}`)).toHaveLength(1);
  });

  it.each([
    ['{"kind":', /line 2 of the audit log is not JSON/],
    ['{"kind":"Pod"}', /line 2 of the audit log is no audit event/],
  ])('names the line that is none: %s', (line, message) => {
    expect(() => parseAuditLog(`${JSON.stringify(patch)}\n${line}\n`)).toThrow(message);
  });
});

describe('readAuditLog', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-audit-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('goes on where it ended, and never in the middle of a line', () => {
    const path = join(folder, 'audit.log');
    expect(readAuditLog(path, 0)).toEqual({ text: '', endByte: 0 });
    appendFileSync(path, 'one\nzwei ü\nthr');
    const first = readAuditLog(path, 0);
    expect(first.text).toBe('one\nzwei ü\n');
    appendFileSync(path, 'ee\n');
    const second = readAuditLog(path, first.endByte);
    expect(second.text).toBe('three\n');
    expect(readAuditLog(path, second.endByte).text).toBe('');
  });
});
