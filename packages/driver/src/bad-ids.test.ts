import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { VolumeCapability_AccessMode_Mode as Mode, ValidateVolumeCapabilitiesRequest } from '@holdfast/csi-spec';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DriverProcess, startDriver } from './testing/driver-process.ts';
import { MiB, mountCapability, options, requestsFor } from './testing/requests.ts';
import { makeScratchFolder, removeScratchFolder } from './testing/served-backend.ts';

let dir: string;
beforeEach(async () => {
  dir = await makeScratchFolder();
});
afterEach(() => removeScratchFolder(dir));

/** Every call of the driver that takes a volume id, with the id given. */
function callsWith(volumeId: string, kind: 'dir' | 'disk', { controller, node }: DriverProcess) {
  const capability = mountCapability('', Mode.SINGLE_NODE_WRITER);
  // The paths are good ones, so that only the id can be at fault.
  const good = requestsFor({ name: 'pvc-1', capability, dir, sizeBytes: 16n * MiB });
  const validate = ValidateVolumeCapabilitiesRequest.fromPartial({ volumeId, volumeCapabilities: [capability] });
  const common: Record<string, () => Promise<unknown>> = {
    DeleteVolume: () => controller.deleteVolume({ ...good.remove(), volumeId }, options),
    ValidateVolumeCapabilities: () => controller.validateVolumeCapabilities(validate, options),
    ControllerGetVolume: () => controller.controllerGetVolume({ volumeId }, options),
    ControllerExpandVolume: () => controller.controllerExpandVolume({ ...good.expand(32n * MiB), volumeId }, options),
    NodePublishVolume: () => node.nodePublishVolume({ ...good.publish(), volumeId }, options),
    NodeUnpublishVolume: () => node.nodeUnpublishVolume({ ...good.unpublish(), volumeId }, options),
    NodeGetVolumeStats: () => node.nodeGetVolumeStats({ ...good.stats(), volumeId }, options),
  };
  if (kind === 'dir') return common;
  return {
    ...common,
    ControllerPublishVolume: () => controller.controllerPublishVolume({ ...good.attach(), volumeId }, options),
    ControllerUnpublishVolume: () => controller.controllerUnpublishVolume({ ...good.detach(), volumeId }, options),
    NodeStageVolume: () => node.nodeStageVolume({ ...good.stage(), volumeId }, options),
    NodeUnstageVolume: () => node.nodeUnstageVolume({ ...good.unstage(), volumeId }, options),
    NodeExpandVolume: () => node.nodeExpandVolume({ ...good.nodeExpand(32n * MiB), volumeId }, options),
  };
}

async function tree(): Promise<string[]> {
  return (await readdir(join(dir, 'pool'), { recursive: true })).toSorted();
}

describe.each(['dir', 'disk'] as const)('the driver with %s volumes', (kind) => {
  test('refuses an id that no volume of it can have, in every call, and touches nothing', async () => {
    const driver = await startDriver(dir, [`--backend=${kind}`]);
    const { create } = requestsFor({ name: 'pvc-1', capability: mountCapability(), dir, sizeBytes: 16n * MiB });
    await driver.controller.createVolume(create(), options);
    const before = await tree();
    const bad: [id: string, says: RegExp][] = [
      ['../../etc', /volume_id "\.\.\/\.\.\/etc" is no id of this driver: ids are letters, digits/],
      ['pvc-1/../pvc-1', /volume_id "pvc-1\/\.\.\/pvc-1" is no id of this driver/],
      ['..', /volume_id "\.\." is no id of this driver/],
      ['x'.repeat(300), /volume_id has 300 bytes, at most 128 are allowed: "x{80}…"$/],
      ['pvc-1\0', /volume_id contains control characters: "pvc-1\\u0000"/],
      ['', /volume_id is required/],
    ];
    for (const [id, says] of bad) {
      for (const [rpc, call] of Object.entries(callsWith(id, kind, driver))) {
        await expect(call(), `${rpc} of ${JSON.stringify(id)}`).rejects.toMatchObject({
          code: 'InvalidArgument',
          message: expect.stringMatching(says),
        });
      }
    }
    expect(await tree()).toEqual(before);
    expect(await driver.stop()).toBe(0);
  });

  test('makes a volume of any name, and one place for each within its pool', async () => {
    const driver = await startDriver(dir, [`--backend=${kind}`]);
    const ids = new Set<string>();
    for (const name of ['../../etc', '..', 'x'.repeat(128), 'a/b', '-rf']) {
      const { create } = requestsFor({ name, capability: mountCapability(), dir, sizeBytes: 16n * MiB });
      const { volume } = await driver.controller.createVolume(create(), options);
      ids.add(volume?.volumeId ?? '');
    }
    expect(ids.size).toBe(5);
    expect((await readdir(dir)).toSorted()).toEqual(['csi.sock', 'pool']);
    for (const volumeId of ids) await driver.controller.deleteVolume({ volumeId, secrets: {} }, options);
    expect((await tree()).filter((path) => path.includes('h-'))).toEqual([]);
    expect(await driver.stop()).toBe(0);
  });

  test('names an unknown class parameter and those it knows, and leaves nothing', async () => {
    const driver = await startDriver(dir, [`--backend=${kind}`]);
    const before = await tree();
    const { create } = requestsFor({ name: 'pvc-1', capability: mountCapability(), dir, sizeBytes: 16n * MiB });
    await expect(
      driver.controller.createVolume(create({ parameters: { speeed: 'fast' } }), options),
    ).rejects.toMatchObject({
      code: 'InvalidArgument',
      message: expect.stringMatching(
        kind === 'dir'
          ? /unknown class parameter "speeed": remove it from the StorageClass, or correct its name; known are: enforceSize/
          : /unknown class parameter "speeed": remove it from the StorageClass, or correct its name; known are: fsType/,
      ),
    });
    expect(await tree()).toEqual(before);
    expect(await driver.stop()).toBe(0);
  });
});
