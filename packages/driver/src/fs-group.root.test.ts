import { chown, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VolumeCapability_AccessMode_Mode as Mode, VolumeCapability } from '@holdfast/csi-spec';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clearUp } from './testing/clear-up.ts';
import { MiB, options, requestsFor } from './testing/requests.ts';
import { makeScratchFolder, type ServedBackend, serveBackend } from './testing/served-backend.ts';

let dir: string;
let driver: ServedBackend;
beforeEach(async () => {
  dir = await makeScratchFolder();
});
afterEach(async () => {
  await driver.stop();
  await clearUp(dir);
});

function ofGroup(volumeMountGroup: string): VolumeCapability {
  return VolumeCapability.fromPartial({
    accessType: { $case: 'mount', value: { volumeMountGroup } },
    accessMode: { mode: Mode.SINGLE_NODE_WRITER },
  });
}

describe.each(['disk', 'dir'] as const)('a volume of %s for a group', (backend) => {
  test('belongs to it once it is published, also where the last try ended before that; read-only it stays as it is', async () => {
    driver = await serveBackend(backend, dir);
    const volume = requestsFor({ name: 'pvc-1', capability: ofGroup('4321'), dir, sizeBytes: 32n * MiB });
    await driver.controller.createVolume(volume.create(), options);
    if (backend === 'disk') {
      await driver.controller.controllerPublishVolume(volume.attach(), options);
      await driver.node.nodeStageVolume(volume.stage(), options);
    }
    await driver.node.nodePublishVolume(volume.publish(), options);
    const file = join(volume.targetPath, 'file');
    await writeFile(file, '');
    expect(await stat(volume.targetPath)).toMatchObject({ gid: 4321 });
    // A new file has the group by the folder's set-group-id bit.
    expect(await stat(file)).toMatchObject({ gid: 4321 });

    // Mounted and not yet handed over, as a crash between the two leaves it.
    await chown(volume.targetPath, 0, 0);
    await driver.node.nodePublishVolume(volume.publish(), options);
    expect(await stat(volume.targetPath)).toMatchObject({ gid: 4321 });
    await driver.node.nodeUnpublishVolume(volume.unpublish(), options);

    const readOnly = volume.publish({ readonly: true, volumeCapability: ofGroup('99') });
    await driver.node.nodePublishVolume(readOnly, options);
    expect(await stat(volume.targetPath)).toMatchObject({ gid: 4321 });
    await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
    for (const group of ['staff', '-1', '4294967295']) {
      await expect(
        driver.node.nodePublishVolume(volume.publish({ volumeCapability: ofGroup(group) }), options),
      ).rejects.toMatchObject({ code: 'InvalidArgument', message: expect.stringContaining('volume_mount_group') });
    }
  });
});
