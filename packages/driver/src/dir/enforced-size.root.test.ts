import { mkdir, open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NodePublishVolumeRequest } from '@holdfast/csi-spec';
import { attachLoopDevice, formatBlankDevice, mountFileSystem, parseQgroup, runCommand } from '@holdfast/mount';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clearUp } from '../testing/clear-up.ts';
import { leftoversOf } from '../testing/leftovers.ts';
import { fromSnapshot, MiB, mountCapability, options, requestsFor, snapshotRequest } from '../testing/requests.ts';
import { makeScratchFolder, type ServedBackend, serveBackend } from '../testing/served-backend.ts';

let dir: string;
let driver: ServedBackend;
beforeEach(async () => {
  dir = await makeScratchFolder();
});
afterEach(async () => {
  await driver.stop();
  await clearUp(dir);
});

async function serveOnBtrfs(): Promise<void> {
  const file = join(dir, 'btrfs.img');
  const handle = await open(file, 'w');
  await handle.truncate(1024 * 1024 * 1024);
  await handle.close();
  const { device } = await attachLoopDevice({ file });
  await formatBlankDevice({ device, fsType: 'btrfs' });
  await mkdir(join(dir, 'pool'));
  await mountFileSystem({ source: device, target: join(dir, 'pool'), fsType: 'btrfs' });
  driver = await serveBackend('dir', dir);
}

const volumeOf = (name: string) => requestsFor({ name, capability: mountCapability(), dir, sizeBytes: 32n * MiB });
// EDQUOT has no name in libuv.
const quotaExceeded = { errno: -122 };
const enforced = { parameters: { enforceSize: 'subvolume' } };

async function write(file: string, mebibytes: number): Promise<void> {
  await writeFile(file, Buffer.alloc(mebibytes * 1024 * 1024, 7));
  await runCommand('sync', ['--file-system', file]);
}

test('a volume whose size is enforced holds no more; grown, it holds more; a copy has a limit of its own', async () => {
  await serveOnBtrfs();
  const volume = volumeOf('pvc-1');
  await driver.controller.createVolume(volume.create(enforced), options);
  await driver.controller.createVolume(volume.create(enforced), options);
  await driver.node.nodePublishVolume(volume.publish(), options);
  await write(join(volume.targetPath, 'fits'), 20);
  await expect(write(join(volume.targetPath, 'too-much'), 20)).rejects.toMatchObject(quotaExceeded);
  const bytes = async () =>
    (await driver.node.nodeGetVolumeStats(volume.stats(), options)).usage.find((one) => one.unit === 1);
  const before = await bytes();
  expect(before).toMatchObject({ total: 32n * MiB });
  expect(before?.used).toBeGreaterThan(20n * MiB);
  expect(before?.available).toBeLessThan(12n * MiB);

  await driver.controller.createSnapshot(snapshotRequest('snap-1', 'pvc-1'), options);
  const copy = volumeOf('pvc-2');
  await driver.controller.createVolume(copy.create({ ...enforced, ...fromSnapshot('snap-1') }), options);
  await driver.node.nodePublishVolume(copy.publish(), options);
  expect((await stat(join(copy.targetPath, 'fits'))).size).toBe(20 * 1024 * 1024);
  await expect(write(join(copy.targetPath, 'more'), 20)).rejects.toMatchObject(quotaExceeded);

  for (let again = 0; again < 2; again++)
    await driver.controller.controllerExpandVolume(volume.expand(64n * MiB), options);
  expect(await bytes()).toMatchObject({ total: 64n * MiB });
  await write(join(volume.targetPath, 'too-much'), 20);

  for (const one of [volume, copy]) {
    await driver.node.nodeUnpublishVolume(one.unpublish(), options);
    await driver.controller.deleteVolume(one.remove(), options);
  }
  await driver.controller.deleteSnapshot({ snapshotId: 'snap-1', secrets: {} }, options);
  expect(
    (await leftoversOf(dir)).filter((one) => !one.endsWith('/btrfs.img') && one !== `mount ${driver.pool}`),
  ).toEqual([]);
});

test('an inline volume is held to its size too', async () => {
  await serveOnBtrfs();
  const targetPath = `${dir}/pods/inline/mount`;
  const volumeContext = { 'csi.storage.k8s.io/ephemeral': 'true', size: '32Mi', enforceSize: 'subvolume' };
  const request = { volumeId: 'csi-1', targetPath, volumeCapability: mountCapability(), volumeContext };
  await driver.node.nodePublishVolume(NodePublishVolumeRequest.fromPartial(request), options);
  await expect(write(join(targetPath, 'too-much'), 40)).rejects.toMatchObject(quotaExceeded);
  await driver.node.nodeUnpublishVolume({ volumeId: 'csi-1', targetPath }, options);
  await expect(stat(join(driver.pool, 'inline/data/csi-1'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('where the pool cannot, it is refused, and nothing is left', async () => {
  await mkdir(join(dir, 'pool'));
  await runCommand('mount', ['-t', 'tmpfs', 'tmpfs', join(dir, 'pool')]);
  driver = await serveBackend('dir', dir);
  const volume = volumeOf('pvc-1');
  const refusal = { code: 'InvalidArgument', message: expect.stringContaining('needs a pool on btrfs') };
  await expect(driver.controller.createVolume(volume.create(enforced), options)).rejects.toMatchObject(refusal);
  const volumeContext = { 'csi.storage.k8s.io/ephemeral': 'true', enforceSize: 'subvolume' };
  await expect(driver.node.nodePublishVolume(volume.publish({ volumeContext }), options)).rejects.toMatchObject(
    refusal,
  );
  await expect(
    driver.controller.createVolume(volume.create({ parameters: { enforceSize: 'yes' } }), options),
  ).rejects.toMatchObject({
    code: 'InvalidArgument',
    message: expect.stringContaining('must be one of none, subvolume'),
  });
  expect((await leftoversOf(dir)).filter((one) => one !== `mount ${driver.pool}`)).toEqual([]);
});

test('what btrfs says of a subvolume is read', () => {
  const heading =
    'Qgroupid    Referenced    Exclusive  Max referenced  Max exclusive   Path \n--------    ----------    ---------  --------------  -------------   ---- \n';
  expect(
    parseQgroup(`${heading}0/256         33538048     33538048        33554432           none   data/a\n`),
  ).toEqual({
    usedBytes: 33_538_048n,
    limitBytes: 33_554_432n,
  });
  expect(parseQgroup(`${heading}0/5   16384  16384   none   none   <toplevel>\n`)?.limitBytes).toBeUndefined();
  expect(parseQgroup(heading)).toBeUndefined();
});
