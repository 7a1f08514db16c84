import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '../../..');

/** SHA-256 of the descriptors without comments: every name, number, type, option and reserved range. */
function descriptorDigest(file: string): string {
  const descriptors = execFileSync(
    process.execPath,
    [
      path.join(root, 'node_modules/.bin/buf'),
      'build',
      path.join(root, 'proto'),
      '--path',
      path.join(root, 'proto', file),
      '--as-file-descriptor-set',
      '--exclude-source-info',
      '--exclude-imports',
      '--output',
      '-',
    ],
    { cwd: root },
  );
  return createHash('sha256').update(descriptors).digest('hex');
}

// The digests were taken from upstream's own files. To move to a newer version, copy its declarations, then run the same
// buf command on upstream's file and write its digest here.
test('csi.proto declares what container-storage-interface/spec v1.13.0 declares', () => {
  expect(descriptorDigest('csi/v1/csi.proto')).toBe('6e60256f56b4e2cd28954ee9939dc33eb0de73a5ed1a9730a10ce0f78bbe67c5');
});

test('api.proto declares what k8s.io/kubelet v0.37.2 declares', () => {
  expect(descriptorDigest('pluginregistration/v1/api.proto')).toBe(
    'b530b5cc4449ff7008903d82c0a5c6b6f94b340c762747bddd52c1d9e92b25fe',
  );
});
