import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { VolumeCapability_AccessMode_Mode as Mode, VolumeCapability } from '@holdfast/csi-spec';
import { listLoopDevices, runCommand } from '@holdfast/mount';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clearUp } from '../testing/clear-up.ts';
import { MiB, mountCapability, options, requestsFor } from '../testing/requests.ts';
import { makeScratchFolder, type ServedBackend, serveBackend } from '../testing/served-backend.ts';

let dir: string;
let driver: ServedBackend | undefined;
beforeEach(async () => {
  dir = await makeScratchFolder();
});
afterEach(async () => {
  await driver?.stop();
  driver = undefined;
  await clearUp(dir);
});

const volumeOf = (capability = mountCapability()) =>
  requestsFor({ name: 'pvc-1', capability, dir, sizeBytes: 32n * MiB });

async function deviceNumber(): Promise<string> {
  const [loop] = (await listLoopDevices()).filter((one) => one.backingFile.startsWith(dir));
  return (await readFile(`/sys/class/block/${basename(loop?.device ?? '')}/dev`, 'utf8')).trim();
}

/** A volume limited at creation, otherwise later, freed of one limit, and taken down: what io.max says after each. */
async function liveThrough(ioCgroup: string, shown: (number: string) => Promise<string>): Promise<string[]> {
  driver = await serveBackend('disk', dir, { ioCgroup });
  const volume = volumeOf();
  const said: string[] = [];
  await driver.controller.createVolume(volume.create({ mutableParameters: { readIops: '500' } }), options);
  await driver.controller.controllerPublishVolume(volume.attach(), options);
  await driver.node.nodeStageVolume(volume.stage(), options);
  const number = await deviceNumber();
  said.push(await shown(number));
  for (const mutableParameters of [{ writeBytesPerSecond: '10Mi' }, { readIops: 'max' }]) {
    await driver.controller.controllerModifyVolume({ volumeId: 'pvc-1', mutableParameters, secrets: {} }, options);
    said.push(await shown(number));
  }
  await driver.node.nodeUnstageVolume(volume.unstage(), options);
  said.push(await shown(number));
  return said.map((line) => line.replace(number, '7:N').trim());
}

const none = 'rbps=max wbps=max riops=max wiops=max';

test('limits are written to io.max when a volume is staged and when it is modified, and taken away when it is unstaged', async () => {
  // A folder in place of a cgroup: what is written, wherever this runs. What the kernel makes of it is below.
  const cgroup = join(dir, 'cgroup');
  await mkdir(cgroup);
  await writeFile(join(cgroup, 'io.max'), '');
  expect(await liveThrough(cgroup, () => readFile(join(cgroup, 'io.max'), 'utf8'))).toEqual([
    '7:N rbps=max wbps=max riops=500 wiops=max',
    '7:N rbps=max wbps=10485760 riops=500 wiops=max',
    '7:N rbps=max wbps=10485760 riops=max wiops=max',
    `7:N ${none}`,
  ]);
});

async function cgroupWithIo(): Promise<string | undefined> {
  for (const root of ['/sys/fs/cgroup', '/sys/fs/cgroup/unified']) {
    const enabled = await readFile(join(root, 'cgroup.subtree_control'), 'utf8').catch(() => '');
    if (enabled.split(/\s+/).includes('io')) return root;
  }
  return undefined;
}

const io = await cgroupWithIo();
describe.skipIf(io === undefined)('on a machine whose cgroup v2 has the io controller', () => {
  test('the kernel takes the limits', async () => {
    const cgroup = join(io ?? '', `hf-test-${basename(dir)}`);
    await mkdir(cgroup);
    try {
      const lineOf = async (number: string) =>
        (await readFile(join(cgroup, 'io.max'), 'utf8')).split('\n').find((line) => line.startsWith(`${number} `)) ??
        `${number} ${none}`;
      expect(await liveThrough(cgroup, lineOf)).toEqual([
        '7:N rbps=max wbps=max riops=500 wiops=max',
        '7:N rbps=max wbps=10485760 riops=500 wiops=max',
        '7:N rbps=max wbps=10485760 riops=max wiops=max',
        `7:N ${none}`,
      ]);
    } finally {
      await rmdir(cgroup);
    }
  });
});

test('where nothing can be limited, it is refused when the volume is made and when it is modified, and nothing is changed', async () => {
  driver = await serveBackend('disk', dir);
  const volume = volumeOf();
  const refusal = { code: 'InvalidArgument', message: expect.stringContaining('--io-cgroup') };
  const limited = { mutableParameters: { readIops: '500' } };
  await expect(driver.controller.createVolume(volume.create(limited), options)).rejects.toMatchObject(refusal);
  expect(await readdir(join(driver.pool, 'volumes'))).toEqual([]);
  await driver.controller.createVolume(volume.create(), options);
  await expect(
    driver.controller.controllerModifyVolume(
      { volumeId: 'pvc-1', mutableParameters: { label: 'gold', writeIops: '5' }, secrets: {} },
      options,
    ),
  ).rejects.toMatchObject(refusal);
  expect(await readFile(join(driver.pool, 'volumes/pvc-1.json'), 'utf8')).not.toContain('gold');
});

test('a cgroup that cannot limit is told before anything is served, and a node without one does not stage what is limited', async () => {
  await expect(serveBackend('disk', dir, { ioCgroup: join(dir, 'no-cgroup') })).rejects.toThrow(
    /no-cgroup cannot limit/,
  );
  // The controller has the flag; the node, started later, has not.
  driver = await serveBackend('disk', dir, { ioCgroup: '/sys/fs/cgroup/kubepods.slice', role: 'controller' });
  await writeFile(
    join(driver.pool, 'nodes', `${Buffer.from('node-a').toString('base64url')}.json`),
    '{"version":1,"zone":"z"}',
  );
  const volume = volumeOf();
  await driver.controller.createVolume(volume.create({ mutableParameters: { readIops: '5' } }), options);
  await driver.controller.controllerPublishVolume(volume.attach(), options);
  await driver.stop();
  driver = await serveBackend('disk', dir, { role: 'node', zone: 'z' });
  await expect(driver.node.nodeStageVolume(volume.stage(), options)).rejects.toMatchObject({
    code: 'FailedPrecondition',
    message: expect.stringContaining('--io-cgroup'),
  });
});

test.each(['ext4', 'xfs'])(
  'with the mount option discard %s gives back to the pool what is deleted',
  async (fsType) => {
    driver = await serveBackend('disk', dir);
    const capability = VolumeCapability.fromPartial({
      accessType: { $case: 'mount', value: { fsType, mountFlags: ['discard'] } },
      accessMode: { mode: Mode.SINGLE_NODE_WRITER },
    });
    const volume = requestsFor({ name: 'pvc-1', capability, dir, sizeBytes: 320n * MiB });
    await driver.controller.createVolume(volume.create(), options);
    await driver.controller.controllerPublishVolume(volume.attach(), options);
    await driver.node.nodeStageVolume(volume.stage(), options);
    await driver.node.nodePublishVolume(volume.publish(), options);
    const taken = async () => (await stat(join(dir, 'pool/images/pvc-1.img'))).blocks * 512;
    const before = await taken();
    const file = join(volume.targetPath, 'bytes');
    await writeFile(file, Buffer.alloc(32 * 1024 * 1024, 7));
    await runCommand('sync', ['--file-system', volume.targetPath]);
    expect((await taken()) - before).toBeGreaterThan(30 * 1024 * 1024);
    await runCommand('rm', [file]);
    await runCommand('sync', ['--file-system', volume.targetPath]);
    // Unmounting finishes what the file system was still to give back.
    await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
    await driver.node.nodeUnstageVolume(volume.unstage(), options);
    expect((await taken()) - before).toBeLessThan(8 * 1024 * 1024);
  },
);
