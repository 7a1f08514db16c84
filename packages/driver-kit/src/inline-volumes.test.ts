import { NodePublishVolumeRequest, type VolumeCapability } from '@holdfast/csi-spec';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryBackend, type MemoryBackend } from './testing/memory-backend.ts';
import { mountCapability, options, type ServedKit, serveKit } from './testing/served-memory.ts';

let backend: MemoryBackend;
let kit: ServedKit;
beforeEach(async () => {
  backend = createMemoryBackend();
  kit = await serveKit(backend);
});
afterEach(() => kit.stop());

const ephemeral = { 'csi.storage.k8s.io/ephemeral': 'true' };

function publish(volumeContext: Record<string, string>, volumeCapability: VolumeCapability = mountCapability) {
  return kit.node.nodePublishVolume(
    NodePublishVolumeRequest.fromPartial({ volumeId: 'csi-1', targetPath: '/t', volumeCapability, volumeContext }),
    options,
  );
}

// Kubernetes' "CSI ephemeral inline volumes": NodePublishVolume is the first call that a driver sees of one.
describe('an inline volume', () => {
  test('is published with its size and parameters, without what kubelet added; again it is the same', async () => {
    for (let again = 0; again < 2; again++) {
      await publish({ ...ephemeral, 'csi.storage.k8s.io/pod.uid': 'u', size: '1000', tier: 'fast' });
    }
    expect(backend.calls).toEqual(['inline csi-1']);
    expect(backend.inlineVolumes.get('csi-1')).toMatchObject({
      // A whole number of steps, by the rules that CreateVolume follows.
      capacityBytes: 1024n,
      parameters: { size: '1000', tier: 'fast' },
    });
  });

  test('is unpublished through its owner, and any other volume as ever', async () => {
    await publish(ephemeral);
    await kit.node.nodeUnpublishVolume({ volumeId: 'csi-1', targetPath: '/t' }, options);
    await kit.node.nodeUnpublishVolume({ volumeId: 'csi-1', targetPath: '/t' }, options);
    expect(backend.inlineVolumes.size).toBe(0);
    await kit.create('pvc-1');
    const request = NodePublishVolumeRequest.fromPartial({
      volumeId: 'pvc-1',
      targetPath: '/p',
      volumeCapability: mountCapability,
      volumeContext: { 'csi.storage.k8s.io/ephemeral': 'false' },
    });
    await kit.node.nodePublishVolume(request, options);
    await kit.node.nodeUnpublishVolume({ volumeId: 'pvc-1', targetPath: '/p' }, options);
    expect(backend.published.size).toBe(0);
  });

  test.each([
    [{ tier: 'medium' }, 'InvalidArgument', 'volume attribute "tier": must be fast or slow'],
    [{ teir: 'fast' }, 'InvalidArgument', 'unknown volume attribute "teir"'],
    [{ size: '1.5.0' }, 'InvalidArgument', 'volume attribute "size"'],
    [{ size: '-1' }, 'InvalidArgument', 'volume attribute "size"'],
    [{ size: '1Gi' }, 'OutOfRange', 'the largest volume here'],
    [{ x: 'y'.repeat(4096) }, 'InvalidArgument', 'at most 4096'],
  ])('refuses %j', async (attributes, code, message) => {
    await expect(publish({ ...ephemeral, ...attributes })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    expect(backend.calls).toEqual([]);
  });

  test('that is published and asked for with other attributes is ALREADY_EXISTS', async () => {
    await publish(ephemeral);
    await expect(publish({ ...ephemeral, tier: 'fast' })).rejects.toMatchObject({ code: 'AlreadyExists' });
  });
});

test('a backend without inline volumes says what to use in their place', async () => {
  await kit.stop();
  const { inline: _, ...rest } = backend;
  kit = await serveKit(rest);
  await expect(publish(ephemeral)).rejects.toMatchObject({
    code: 'InvalidArgument',
    message: expect.stringContaining('generic ephemeral volume'),
  });
});
