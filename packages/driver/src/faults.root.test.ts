import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IdentityService } from '@holdfast/csi-spec';
import {
  detachLoopDevice,
  findMount,
  listLoopDevices,
  mountsUnder,
  readMountInfo,
  runCommand,
  unmountAll,
} from '@holdfast/mount';
import { RpcError } from '@holdfast/rpc';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { writerName } from './pool/durable-file.ts';
import { mountDead } from './testing/dead-mount.ts';
import { type DriverProcess, startDriver } from './testing/driver-process.ts';
import { leftoversOf } from './testing/leftovers.ts';
import { blockCapability, MiB, mountCapability, options, requestsFor } from './testing/requests.ts';
import { makeScratchFolder, removeScratchFolder } from './testing/served-backend.ts';
import { makeSmallPool, type SmallPool } from './testing/small-pool.ts';

let dir: string;
let driver: DriverProcess;
const volumeOf = (name: string, sizeBytes = 16n * MiB, capability = mountCapability()) =>
  requestsFor({ name, capability, dir, sizeBytes });
type Volume = ReturnType<typeof volumeOf>;

beforeEach(async () => {
  dir = await makeScratchFolder();
});
afterEach(async () => {
  await driver.stop();
  for (let round = 0; round < 3; round++) {
    for (const { mountPoint } of mountsUnder(await readMountInfo(), dir).toReversed()) {
      await unmountAll(mountPoint).catch(() => undefined);
    }
    for (const { device, backingFile } of await listLoopDevices()) {
      if (backingFile.startsWith(dir)) await detachLoopDevice(device).catch(() => undefined);
    }
  }
  await removeScratchFolder(dir);
});

async function createAndAttach(volume: Volume): Promise<void> {
  await driver.controller.createVolume(volume.create(), options);
  await driver.controller.controllerPublishVolume(volume.attach(), options);
}

async function bringUp(volume: Volume): Promise<void> {
  await createAndAttach(volume);
  await driver.node.nodeStageVolume(volume.stage(), options);
  await driver.node.nodePublishVolume(volume.publish(), options);
}

async function takeDown(volume: Volume): Promise<void> {
  await driver.node.nodeUnpublishVolume(volume.unpublish(), options);
  await driver.node.nodeUnstageVolume(volume.unstage(), options);
  await driver.controller.controllerUnpublishVolume(volume.detach(), options);
  await driver.controller.deleteVolume(volume.remove(), options);
}

async function failure(call: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await call;
  } catch (error) {
    if (error instanceof RpcError) return { code: error.code, message: error.message };
    throw error;
  }
  return { code: 'OK', message: '' };
}

describe('a mount whose server does not answer', () => {
  test('keeps no call for other volumes waiting, nor Probe; what is asked about it ends in an error', {
    timeout: 120_000,
  }, async () => {
    driver = await startDriver(dir, ['--backend=disk']);
    const [healthy, raw] = [volumeOf('pvc-1'), volumeOf('pvc-2', 4n * MiB, blockCapability())];
    await bringUp(healthy);
    await createAndAttach(raw);
    await driver.node.nodeStageVolume(raw.stage(), options);
    await mkdir(raw.targetPath, { recursive: true });
    const dead = await mountDead(raw.targetPath);
    onTestFinished(() => dead.remove());
    // Many more than libuv has threads: were one of them spent on a look at the mount, nothing else would be answered.
    const stuck = Array.from({ length: 12 }, (_, index) =>
      failure(
        index % 3 === 0
          ? driver.node.nodeGetVolumeStats(raw.stats(), options)
          : index % 3 === 1
            ? driver.node.nodePublishVolume(raw.publish(), options)
            : driver.node.nodeUnpublishVolume(raw.unpublish(), options),
      ),
    );
    await driver.connection.client(IdentityService).probe({}, { timeoutMs: 10_000 });
    const stats = await driver.node.nodeGetVolumeStats(healthy.stats(), options);
    expect(stats.usage).not.toEqual([]);
    for (const { code } of await Promise.all(stuck)) {
      expect(['NotFound', 'FailedPrecondition', 'Aborted']).toContain(code);
    }
    await dead.disconnect();
    // ENOTCONN now. It is not ours, so it stays until whoever mounted it takes it away.
    expect(await failure(driver.node.nodePublishVolume(raw.publish(), options))).toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('already shows dead (fuse)'),
    });
    await dead.remove();
    // The folder that somebody made in the place of a device's file.
    await rm(raw.targetPath, { recursive: true });
    await driver.node.nodePublishVolume(raw.publish(), options);
    await takeDown(raw);
    await takeDown(healthy);
    expect(await leftoversOf(dir)).toEqual([]);
  });
});

describe('a pool whose server does not answer', () => {
  test('is what Probe tells within a second, however often it is asked, and other calls are answered meanwhile', {
    timeout: 120_000,
  }, async () => {
    driver = await startDriver(dir, ['--backend=dir']);
    const identity = driver.connection.client(IdentityService);
    await identity.probe({}, options);
    const dead = await mountDead(join(dir, 'pool'));
    onTestFinished(() => dead.remove());
    const probes = await Promise.all(Array.from({ length: 12 }, () => failure(identity.probe({}, options))));
    for (const probe of probes) {
      expect(probe).toEqual({ code: 'FailedPrecondition', message: expect.stringContaining('does not answer') });
    }
    // These do look at the pool, and take all of libuv's threads.
    const stuck = Array.from({ length: 12 }, (_, index) =>
      failure(driver.controller.createVolume(volumeOf(`pvc-${index}`).create(), options)),
    );
    expect(await failure(identity.probe({}, options))).toMatchObject({ message: expect.stringContaining('answer') });
    await driver.node.nodeGetInfo({}, options);
    await dead.remove();
    for (const { code } of await Promise.all(stuck)) expect(['OK', 'Internal']).toContain(code);
    await vi.waitFor(() => identity.probe({}, options), { timeout: 30_000 });
    expect(await failure(driver.controller.createVolume(volumeOf('pvc-1').create(), options))).toMatchObject({
      code: 'OK',
    });
  });
});

describe('a target path', () => {
  test.each(['/../escape/mount', '/./mount/../../escape/mount'])(
    'with %s in it is refused, or means what it says',
    {
      timeout: 180_000,
    },
    async (suffix) => {
      driver = await startDriver(dir, ['--backend=disk']);
      const volume = volumeOf('pvc-1');
      await createAndAttach(volume);
      await driver.node.nodeStageVolume(volume.stage(), options);
      const asked = { ...volume.publish(), targetPath: `${join(dir, 'pods', 'pvc-1')}${suffix}` };
      const { code } = await failure(driver.node.nodePublishVolume(asked, options));
      expect(code).toBe('InvalidArgument');
      expect(mountsUnder(await readMountInfo(), dir).map(({ mountPoint }) => mountPoint)).toEqual([
        volume.stagingTargetPath,
      ]);
      await takeDown(volume);
    },
  );

  test('exchanged for a link while the call runs: nothing is mounted where it leads', {
    timeout: 180_000,
  }, async () => {
    const [bin, elsewhere] = [join(dir, 'bin'), join(dir, 'elsewhere')];
    const volume = volumeOf('pvc-1');
    const target = volume.targetPath;
    await Promise.all([mkdir(bin), mkdir(elsewhere), mkdir(join(dir, 'pods', 'pvc-1'), { recursive: true })]);
    // Stands before the real mount, once, and only for the bind.
    const script = `#!/bin/sh
case "$*" in *bind*) if [ ! -e ${dir}/done ]; then touch ${dir}/done; mv ${target} ${target}.moved; ln -s ${elsewhere} ${target}; fi;; esac
exec /bin/mount "$@"
`;
    await writeFile(join(bin, 'mount'), script, { mode: 0o755 });
    driver = await startDriver(dir, ['--backend=disk'], { PATH: `${bin}:${process.env.PATH ?? ''}` });
    await createAndAttach(volume);
    await driver.node.nodeStageVolume(volume.stage(), options);
    expect((await failure(driver.node.nodePublishVolume(volume.publish(), options))).code).not.toBe('OK');
    expect(mountsUnder(await readMountInfo(), dir).map(({ mountPoint }) => mountPoint)).toEqual([
      volume.stagingTargetPath,
    ]);
    expect(await failure(driver.node.nodePublishVolume(volume.publish(), options))).toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('is a symbolic link'),
    });
    await rm(target);
    await rm(`${target}.moved`, { recursive: true });
    await driver.node.nodePublishVolume(volume.publish(), options);
    await takeDown(volume);
    expect(await leftoversOf(dir)).toEqual([]);
  });

  test.each(['a folder of it', 'a link that leads into it'])(
    'within a mount that does not answer, by %s: each call for it ends with the name of that mount, and none is kept waiting',
    { timeout: 120_000 },
    async (how) => {
      driver = await startDriver(dir, ['--backend=disk']);
      const [healthy, lost] = [volumeOf('pvc-1'), volumeOf('pvc-2')];
      await bringUp(healthy);
      await createAndAttach(lost);
      await driver.node.nodeStageVolume(lost.stage(), options);
      const [silent, pods] = [join(dir, 'silent'), join(dir, 'pods', 'pvc-2')];
      await mkdir(silent);
      if (how.startsWith('a link')) await symlink(join(silent, 'pod'), pods);
      else await mkdir(pods, { recursive: true });
      const dead = await mountDead(how.startsWith('a link') ? silent : join(dir, 'pods', 'pvc-2'));
      onTestFinished(() => dead.remove());
      const targetPath = join(pods, 'mount');
      const stuck = Array.from({ length: 9 }, (_, index) =>
        failure(
          index % 3 === 0
            ? driver.node.nodeGetVolumeStats(lost.stats(targetPath), options)
            : index % 3 === 1
              ? driver.node.nodePublishVolume({ ...lost.publish(), targetPath }, options)
              : driver.node.nodeUnpublishVolume({ ...lost.unpublish(), targetPath }, options),
        ),
      );
      await driver.connection.client(IdentityService).probe({}, options);
      expect((await driver.node.nodeGetVolumeStats(healthy.stats(), options)).usage).not.toEqual([]);
      const answers = await Promise.all(stuck);
      for (const { code } of answers) expect(['Aborted', 'FailedPrecondition']).toContain(code);
      expect(answers.map(({ message }) => message).join()).toMatch(
        /dead \(fuse\), mounted at .*, which does not answer/,
      );
      await dead.remove();
      await rm(pods, { recursive: true });
      await driver.node.nodePublishVolume(lost.publish(), options);
      await takeDown(lost);
      await takeDown(healthy);
      expect(await leftoversOf(dir)).toEqual([]);
    },
  );

  test('whose parent is a link that leads elsewhere shows the volume there, and comes down again', {
    timeout: 180_000,
  }, async () => {
    driver = await startDriver(dir, ['--backend=disk']);
    const volume = volumeOf('pvc-1');
    const real = join(dir, 'real');
    await mkdir(real);
    await mkdir(join(dir, 'pods'));
    await symlink(real, join(dir, 'pods', 'pvc-1'));
    await bringUp(volume);
    expect(await findMount(join(real, 'mount'))).toBeDefined();
    await takeDown(volume);
    expect(await readdir(real)).toEqual([]);
  });
});

describe('a pool', () => {
  let pool: SmallPool;
  const poolFlags = ['--backend=disk'];
  afterEach(async () => {
    await driver.stop();
    await pool.remove();
  });

  test('that is full under a volume: its format fails, and ends well once there is room; nothing else is formatted', {
    timeout: 120_000,
  }, async () => {
    pool = await makeSmallPool(dir, 64);
    driver = await startDriver(dir, poolFlags);
    const volume = volumeOf('pvc-1', 32n * MiB);
    const spare = volumeOf('pvc-2', 8n * MiB);
    await createAndAttach(volume);
    await driver.controller.createVolume(spare.create(), options);
    await pool.fill();
    expect((await failure(driver.controller.createVolume(volumeOf('pvc-3').create(), options))).code).toBe(
      'ResourceExhausted',
    );
    // Not even its record can be written, and yet it goes: how else would there be room again?
    await driver.controller.deleteVolume(spare.remove(), options);
    await pool.fill();
    // The image is sparse: mkfs writes where no block can be found any more, and the loop device answers EIO.
    const { code } = await failure(driver.node.nodeStageVolume(volume.stage(), options));
    expect(['Internal', 'ResourceExhausted']).toContain(code);
    expect(await findMount(volume.stagingTargetPath)).toBeUndefined();
    await pool.empty();
    await driver.node.nodeStageVolume(volume.stage(), options);
    await driver.node.nodePublishVolume(volume.publish(), options);
    await writeFile(join(volume.targetPath, 'content'), 'kept');
    await takeDown(volume);
    expect(await readdir(join(dir, 'pool', 'images'))).toEqual([]);
  });

  test('without an inode left refuses a volume as RESOURCE_EXHAUSTED, and leaves nothing of it', {
    timeout: 120_000,
  }, async () => {
    pool = await makeSmallPool(dir, 64, ['-N', '32']);
    driver = await startDriver(dir, poolFlags);
    for (let number = 0; ; number++) {
      try {
        await writeFile(join(pool.path, `inode-${number}`), '');
      } catch {
        break;
      }
    }
    const volume = volumeOf('pvc-1', 8n * MiB);
    expect(await failure(driver.controller.createVolume(volume.create(), options))).toMatchObject({
      code: 'ResourceExhausted',
    });
    expect(await readdir(join(pool.path, 'volumes'))).toEqual([]);
    for (const name of await readdir(pool.path)) if (name.startsWith('inode-')) await rm(join(pool.path, name));
    await driver.controller.createVolume(volume.create(), options);
    await driver.controller.deleteVolume(volume.remove(), options);
    expect(await readdir(join(pool.path, 'images'))).toEqual([]);
  });

  test('that the kernel made read-only: Probe says so, a call fails, and all is well when it can be written again', {
    timeout: 120_000,
  }, async () => {
    pool = await makeSmallPool(dir, 64);
    driver = await startDriver(dir, poolFlags);
    const identity = driver.connection.client(IdentityService);
    await runCommand('mount', ['-o', 'remount,ro', pool.path]);
    expect(await failure(identity.probe({}, options))).toMatchObject({ message: expect.stringContaining(pool.path) });
    const volume = volumeOf('pvc-1', 8n * MiB);
    expect((await failure(driver.controller.createVolume(volume.create(), options))).code).toBe('Internal');
    await runCommand('mount', ['-o', 'remount,rw', pool.path]);
    await identity.probe({}, options);
    await driver.controller.createVolume(volume.create(), options);
    await driver.controller.deleteVolume(volume.remove(), options);
  });
});

test('a format that was cut short in its middle is done again by the next stage, on that device alone', {
  timeout: 120_000,
}, async () => {
  const bin = join(dir, 'bin');
  await mkdir(bin);
  // Writes a part of a file system, as a mkfs does that is killed.
  const script = `#!/bin/sh
for last; do :; done
if [ ! -e ${dir}/cut ]; then touch ${dir}/cut; dd if=/dev/urandom of="$last" bs=64k count=20 conv=fsync 2>/dev/null; kill -9 $$; fi
exec /sbin/mkfs.ext4 "$@"
`;
  await writeFile(join(bin, 'mkfs.ext4'), script, { mode: 0o755 });
  driver = await startDriver(dir, ['--backend=disk'], { PATH: `${bin}:${process.env.PATH ?? ''}` });
  const volume = volumeOf('pvc-1');
  await createAndAttach(volume);
  expect(await failure(driver.node.nodeStageVolume(volume.stage(), options))).toMatchObject({
    code: 'Internal',
    message: expect.stringContaining('SIGKILL'),
  });
  await driver.kill();
  driver = await startDriver(dir, ['--backend=disk']);
  await driver.node.nodeStageVolume(volume.stage(), options);
  await driver.node.nodePublishVolume(volume.publish(), options);
  await takeDown(volume);
  expect(await leftoversOf(dir)).toEqual([]);
});

test('without a free loop device a volume is not staged, the reason is told, and it is staged once there is one', {
  timeout: 120_000,
}, async () => {
  const bin = join(dir, 'bin');
  await mkdir(bin);
  // What losetup says where the kernel gives no more (max_loop, or a container's device list).
  const script = `#!/bin/sh
case "$*" in *--find*) if [ -e ${dir}/none ]; then echo "losetup: cannot find an unused loop device: No such device" >&2; exit 1; fi;; esac
exec /sbin/losetup "$@"
`;
  await writeFile(join(bin, 'losetup'), script, { mode: 0o755 });
  await writeFile(join(dir, 'none'), '');
  driver = await startDriver(dir, ['--backend=disk'], { PATH: `${bin}:${process.env.PATH ?? ''}` });
  const volume = volumeOf('pvc-1');
  await createAndAttach(volume);
  expect(await failure(driver.node.nodeStageVolume(volume.stage(), options))).toMatchObject({
    code: 'ResourceExhausted',
    message: expect.stringMatching(/no loop device is free.*max_loop/),
  });
  await rm(join(dir, 'none'));
  await driver.node.nodeStageVolume(volume.stage(), options);
  await driver.node.nodeUnstageVolume(volume.unstage(), options);
  expect(await listLoopDevices()).not.toContainEqual(
    expect.objectContaining({ backingFile: expect.stringContaining(dir) }),
  );
});

test('after a power loss within stage nothing but the call itself is needed: mounts are gone, the record is half', {
  timeout: 120_000,
}, async () => {
  driver = await startDriver(dir, ['--backend=disk']);
  const volume = volumeOf('pvc-1');
  await bringUp(volume);
  await writeFile(join(volume.targetPath, 'content'), 'kept');
  await runCommand('sync', ['--file-system', volume.targetPath]);
  await driver.kill();
  // What a restart of the machine takes: mounts and devices; and a write of the record that was cut short is beside it.
  await unmountAll(volume.targetPath);
  await unmountAll(volume.stagingTargetPath);
  for (const { device, backingFile } of await listLoopDevices()) {
    if (backingFile.startsWith(dir)) await detachLoopDevice(device);
  }
  const half = join(dir, 'pool', 'stages', `pvc-1.json.${writerName('node', 'node-a')}.tmp`);
  await writeFile(half, '{"version":1,"fileSy');
  driver = await startDriver(dir, ['--backend=disk']);
  await driver.node.nodeStageVolume(volume.stage(), options);
  await driver.node.nodePublishVolume(volume.publish(), options);
  expect(await readFile(join(volume.targetPath, 'content'), 'utf8')).toBe('kept');
  await takeDown(volume);
  expect(await leftoversOf(dir)).toEqual([]);
});
