import { expect, test } from 'vitest';
import { CreateVolumeRequest, NodePublishVolumeRequest, redactSecrets, serviceAccountTokensKey } from './index.ts';

test('strikes secret values out of a text, the longer ones first', () => {
  const request = CreateVolumeRequest.create({
    name: 'pvc-1',
    secrets: { a: 'hunter2', b: 'hunter2-and-more', c: 'ext4' },
  });
  expect(
    redactSecrets('mount -o pass=hunter2-and-more,old=hunter2 -t ext4 pvc-1', 'csi.v1.CreateVolumeRequest', request),
  ).toBe('mount -o pass=***stripped***,old=***stripped*** -t ext4 pvc-1');
});

test('strikes out a service-account token, also without the JSON around it', () => {
  const tokens = JSON.stringify({ vault: { token: 'eyJhbGciOi', expirationTimestamp: '2026-01-01T00:00:00Z' } });
  const request = NodePublishVolumeRequest.create({ volumeContext: { [serviceAccountTokensKey]: tokens } });
  const redact = (text: string) => redactSecrets(text, 'csi.v1.NodePublishVolumeRequest', request);
  expect(redact('login with eyJhbGciOi failed')).toBe('login with ***stripped*** failed');
  expect(redact(`context was ${tokens}`)).toBe('context was ***stripped***');
});

test('leaves a text alone when there is no secret', () => {
  expect(redactSecrets('no such pool', 'csi.v1.CreateVolumeRequest', CreateVolumeRequest.create())).toBe(
    'no such pool',
  );
  expect(redactSecrets('no such pool', 'csi.v1.Nope', undefined)).toBe('no such pool');
});
