import { createStore } from '@holdfast/control';
import { objectKey, type PersistentVolumeClaim } from '@holdfast/kube';
import { afterEach, expect, it } from 'vitest';
import { createClaimWriter } from './claim-writer.ts';
import { type Rig, startRig } from './testing/rig.ts';

let rig: Rig | undefined;
afterEach(async () => {
  await rig?.stop();
});

it('shows its own writes to the next look, whatever the watch is up to', async () => {
  rig = await startRig();
  const claims = createStore<PersistentVolumeClaim>();
  const claim = await rig.claim();
  claims.replaceAll([claim], claim.metadata.resourceVersion);
  const writer = createClaimWriter({ client: rig.cluster.client, claims });
  const patch = { kind: 'merge' as const, body: { status: { allocatedResources: { storage: '2Gi' } } } };
  const { signal } = new AbortController();
  const written = await writer.patchStatus(claim, patch, signal);
  expect(claims.get(objectKey(claim))?.status?.allocatedResources).toEqual({ storage: '2Gi' });
  claims.applyEvent(claim);
  expect(claims.get(objectKey(claim))?.metadata.resourceVersion).toBe(written.metadata.resourceVersion);
});
