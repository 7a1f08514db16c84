import { expect, it } from 'vitest';
import { countWrites } from './audit.ts';

const line = (verb: string, resource: string, userAgent: string, code: number): string =>
  JSON.stringify({ verb, resource, userAgent, code });

it('counts the writes that succeeded, by program', () => {
  const log = [
    line('create', 'persistentvolumes', 'csi-provisioner/1', 201),
    line('create', 'persistentvolumes', 'csi-provisioner/1', 409),
    line('list', 'persistentvolumes', 'csi-provisioner/1', 200),
    line('patch', 'volumeattachments/status', 'csi-attacher/1', 200),
    line('patch', 'volumeattachments', 'csi-attacher/1', 200),
    line('patch', 'volumeattachments', 'csi-attacher/1', 200),
    '',
  ].join('\n');
  expect(countWrites(log)).toEqual([
    ['csi-attacher', '2 patch volumeattachments, 1 patch volumeattachments/status'],
    ['csi-provisioner', '1 create persistentvolumes'],
  ]);
});
