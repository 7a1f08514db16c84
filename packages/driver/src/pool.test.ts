import { access, mkdir, readdir, readFile, rm, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VolumeCapability_AccessMode_Mode as Mode } from '@holdfast/csi-spec';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNodeRegistry } from './pool/node-registry.ts';
import { blockCapability, MiB, mountCapability, options, requestsFor } from './testing/requests.ts';
import { makeScratchFolder, removeScratchFolder, type ServedBackend, serveBackend } from './testing/served-backend.ts';

let dir: string;
let driver: ServedBackend;
beforeEach(async () => {
  dir = await makeScratchFolder();
});
afterEach(async () => {
  await driver.stop();
  await removeScratchFolder(dir);
});

const one = () => requestsFor({ name: 'pvc-1', capability: mountCapability(), dir, sizeBytes: 16n * MiB });
const list = async () =>
  (await driver.controller.listVolumes({ maxEntries: 0, startingToken: '' }, options)).entries.map(
    (entry) => entry.volume?.volumeId,
  );

async function restart(kind: 'dir' | 'disk'): Promise<void> {
  await driver.stop();
  driver = await serveBackend(kind, dir, { role: 'controller' });
}

async function editRecord(id: string, change: (record: object) => object): Promise<void> {
  const file = join(dir, 'pool', 'volumes', `${id}.json`);
  await writeFile(file, JSON.stringify(change(JSON.parse(await readFile(file, 'utf8')))));
}

describe.each([
  ['dir', 'data/pvc-1'],
  ['disk', 'images/pvc-1.img'],
] as const)('a pool of %s volumes', (kind, content) => {
  beforeEach(async () => {
    driver = await serveBackend(kind, dir, { role: 'controller' });
    await createNodeRegistry(join(driver.pool, 'nodes')).register('node-a');
  });

  test('keeps a volume over a restart, gives the same one for the same name, and leaves nothing when it is deleted', async () => {
    const made = await driver.controller.createVolume(one().create(), options);
    expect(made.volume).toMatchObject({
      volumeId: 'pvc-1',
      capacityBytes: 16n * MiB,
      accessibleTopology: [{ segments: { 'topology.csi.holdfast/node': 'node-a' } }],
    });
    await access(join(driver.pool, content));
    await restart(kind);
    expect(await driver.controller.createVolume(one().create(), options)).toEqual(made);
    expect(await list()).toEqual(['pvc-1']);
    await driver.controller.deleteVolume(one().remove(), options);
    await driver.controller.deleteVolume(one().remove(), options);
    expect(await filesOf(driver.pool)).toEqual([]);
  });

  test.each(['creating', 'deleting'])(
    'what a crash left in the phase "%s" is removed at the next start',
    async (phase) => {
      await driver.controller.createVolume(one().create(), options);
      await editRecord('pvc-1', (record) => ({ ...record, phase }));
      expect(await list()).toEqual([]);
      await restart(kind);
      expect(await filesOf(driver.pool)).toEqual([]);
      expect(driver.log.lines.map((line) => line.message)).toContain('Removing what an interrupted operation left');
      expect((await driver.controller.createVolume(one().create(), options)).volume?.volumeId).toBe('pvc-1');
    },
  );

  test('a half-made volume of the same name is made again', async () => {
    await driver.controller.createVolume(one().create(), options);
    await editRecord('pvc-1', (record) => ({ ...record, phase: 'creating' }));
    await driver.controller.createVolume(one().create({ capacityRange: { requiredBytes: 32n * MiB } }), options);
    expect((await driver.controller.controllerGetVolume({ volumeId: 'pvc-1' }, options)).volume?.capacityBytes).toBe(
      32n * MiB,
    );
  });

  test('a garbage record takes one volume out of service and is named; its content stays; the others are served', async () => {
    await driver.controller.createVolume(one().create(), options);
    await driver.controller.createVolume(one().create({ name: 'pvc-2' }), options);
    await writeFile(join(driver.pool, 'volumes/pvc-1.json'), '{"half');
    await restart(kind);
    const file = join(driver.pool, 'volumes/pvc-1.json');
    for (const call of [
      () => driver.controller.controllerGetVolume({ volumeId: 'pvc-1' }, options),
      () => driver.controller.deleteVolume(one().remove(), options),
      () => driver.controller.createVolume(one().create(), options),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'Internal', message: expect.stringContaining(file) });
    }
    expect(await list()).toEqual(['pvc-2']);
    await access(join(driver.pool, content));
    expect(
      driver.log.lines.some((line) => line.level === 'error' && JSON.stringify(line.fields).includes('pvc-1')),
    ).toBe(true);
    await driver.controller.deleteVolume({ volumeId: 'pvc-2', secrets: {} }, options);
  });

  test('content without a record is never removed, taken or emptied, only told', async () => {
    const file = kind === 'dir' ? join(driver.pool, content, 'bytes') : join(driver.pool, content);
    if (kind === 'dir') await mkdir(join(driver.pool, content));
    await writeFile(file, 'precious');
    await restart(kind);
    expect(driver.log.lines.some((line) => line.level === 'warn' && line.message.includes('no record'))).toBe(true);
    await expect(driver.controller.createVolume(one().create(), options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining(join(driver.pool, content)),
    });
    await driver.controller.deleteVolume(one().remove(), options);
    expect(await readFile(file, 'utf8')).toBe('precious');
  });

  test('a record that cannot even be opened takes one volume out of service', async () => {
    await driver.controller.createVolume(one().create({ name: 'pvc-2' }), options);
    await mkdir(join(driver.pool, 'volumes/pvc-1.json'));
    await restart(kind);
    expect(await list()).toEqual(['pvc-2']);
    await expect(driver.controller.createVolume(one().create(), options)).rejects.toMatchObject({
      message: expect.stringContaining('Restore it from a copy'),
    });
  });

  test('a volume is made only where a node serves the pool, wherever the controller runs', async () => {
    await rm(join(driver.pool, 'nodes'), { recursive: true });
    await mkdir(join(driver.pool, 'nodes'));
    await expect(driver.controller.createVolume(one().create(), options)).rejects.toMatchObject({
      code: 'ResourceExhausted',
      message: expect.stringContaining('no node yet'),
    });
    await createNodeRegistry(join(driver.pool, 'nodes')).register('node-b');
    expect((await driver.controller.createVolume(one().create(), options)).volume?.accessibleTopology).toEqual([
      { segments: { 'topology.csi.holdfast/node': 'node-b' } },
    ]);
  });

  test.each<[string, Parameters<ReturnType<typeof one>['create']>[0], string, string]>([
    ['7Ei', { capacityRange: { requiredBytes: 7n << 60n } }, 'OutOfRange', 'largest volume here'],
    ['an unknown parameter', { parameters: { speed: 'fast' } }, 'InvalidArgument', 'unknown class parameter "speed"'],
    [
      'an access mode that nobody has',
      { volumeCapabilities: [mountCapability('', Mode.MULTI_NODE_SINGLE_WRITER)] },
      'InvalidArgument',
      'MULTI_NODE_SINGLE_WRITER',
    ],
    [
      'another node',
      { accessibilityRequirements: { requisite: [{ segments: { 'topology.csi.holdfast/node': 'far' } }] } },
      'ResourceExhausted',
      'node=far',
    ],
  ])('%s is refused and nothing is left', async (_what, more, code, message) => {
    await expect(driver.controller.createVolume(one().create(more), options)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    expect(await filesOf(driver.pool)).toEqual([]);
  });

  test.runIf(kind === 'disk')(
    'the modes of many nodes are refused: a disk has one file system, mounted once',
    async () => {
      for (const mode of [Mode.MULTI_NODE_MULTI_WRITER, Mode.MULTI_NODE_READER_ONLY]) {
        const shared = one().create({ volumeCapabilities: [mountCapability('', mode)] });
        await expect(driver.controller.createVolume(shared, options)).rejects.toMatchObject({
          code: 'InvalidArgument',
        });
      }
    },
  );

  test('GetCapacity tells what is left, and nothing for a node that is not served', async () => {
    const ask = (segments: Record<string, string>) =>
      driver.controller.getCapacity(
        { volumeCapabilities: [], parameters: {}, accessibleTopology: { segments } },
        options,
      );
    expect((await ask({ 'topology.csi.holdfast/node': 'node-a' })).availableCapacity).toBeGreaterThan(0n);
    expect((await ask({ 'topology.csi.holdfast/node': 'far' })).availableCapacity).toBe(0n);
  });
});

describe('a disk', () => {
  beforeEach(async () => {
    driver = await serveBackend('disk', dir, { role: 'controller', maxVolumesPerNode: 1 });
    const nodes = createNodeRegistry(join(driver.pool, 'nodes'));
    await nodes.register('node-a');
    await nodes.register('node b/ü');
  });

  test.each([
    ['xfs', 299n, 300n],
    ['btrfs', 255n, 256n],
    ['ext4', 3n, 4n],
  ])('of %s has a smallest size', async (fsType, tooSmall, enough) => {
    const create = (size: bigint) =>
      driver.controller.createVolume(
        one().create({ parameters: { fsType }, capacityRange: { requiredBytes: size * MiB } }),
        options,
      );
    await expect(create(tooSmall)).rejects.toMatchObject({
      code: 'OutOfRange',
      message: expect.stringContaining('smallest'),
    });
    expect((await create(enough)).volume?.capacityBytes).toBe(enough * MiB);
  });

  test('its image is sparse, and space that was promised is not promised again', async () => {
    const ask = async () =>
      (
        await driver.controller.getCapacity(
          { volumeCapabilities: [], parameters: {}, accessibleTopology: undefined },
          options,
        )
      ).availableCapacity;
    const before = await ask();
    const half = (before / 2n / 512n) * 512n;
    await driver.controller.createVolume(one().create({ capacityRange: { requiredBytes: half } }), options);
    expect((await stat(join(driver.pool, 'images/pvc-1.img'))).blocks).toBe(0);
    expect(await ask()).toBeLessThan(before - half / 2n);
    await expect(
      driver.controller.createVolume(
        one().create({ name: 'pvc-2', capacityRange: { requiredBytes: before } }),
        options,
      ),
    ).rejects.toMatchObject({
      code: 'ResourceExhausted',
      message: expect.stringContaining('left that nothing was promised'),
    });
  });

  test('two ways of naming the file system must agree', async () => {
    const create = one().create({ parameters: { fsType: 'xfs' }, volumeCapabilities: [mountCapability('ext4')] });
    await expect(driver.controller.createVolume(create, options)).rejects.toMatchObject({
      code: 'InvalidArgument',
      message: expect.stringContaining('xfs, ext4'),
    });
  });

  test('is attached to one node, within its limit, over a restart', async () => {
    await driver.controller.createVolume(one().create(), options);
    await driver.controller.createVolume(
      one().create({ name: 'pvc-2', volumeCapabilities: [blockCapability()] }),
      options,
    );
    await driver.controller.controllerPublishVolume(one().attach(), options);
    await restart('disk');
    await expect(driver.controller.controllerPublishVolume(one().attach('node b/ü'), options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('node node-a'),
    });
    await driver.stop();
    driver = await serveBackend('disk', dir, { role: 'controller', maxVolumesPerNode: 1 });
    const second = { ...one().attach(), volumeId: 'pvc-2' };
    await expect(driver.controller.controllerPublishVolume(second, options)).rejects.toMatchObject({
      code: 'ResourceExhausted',
    });
    await expect(driver.controller.controllerPublishVolume(one().attach('unknown'), options)).rejects.toMatchObject({
      code: 'NotFound',
    });
    await expect(driver.controller.deleteVolume(one().remove(), options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
    });
    await driver.controller.controllerUnpublishVolume(one().detach(), options);
    await driver.controller.controllerPublishVolume(second, options);
  });

  test('grows, and a growth cut short after the image is finished by the next call', async () => {
    await driver.controller.createVolume(one().create(), options);
    await truncate(join(driver.pool, 'images/pvc-1.img'), Number(32n * MiB));
    expect(await driver.controller.controllerExpandVolume(one().expand(32n * MiB), options)).toEqual({
      capacityBytes: 32n * MiB,
      nodeExpansionRequired: true,
    });
    expect((await stat(join(driver.pool, 'images/pvc-1.img'))).size).toBe(Number(32n * MiB));
    expect((await driver.controller.controllerGetVolume({ volumeId: 'pvc-1' }, options)).volume?.capacityBytes).toBe(
      32n * MiB,
    );
  });

  test('half removed that cannot be removed keeps no other volume from being served', async () => {
    await driver.controller.createVolume(one().create(), options);
    await driver.controller.createVolume(one().create({ name: 'pvc-2' }), options);
    await unlink(join(driver.pool, 'images/pvc-1.img'));
    await mkdir(join(driver.pool, 'images/pvc-1.img'));
    await editRecord('pvc-1', (record) => ({ ...record, phase: 'deleting' }));
    await restart('disk');
    expect(await list()).toEqual(['pvc-2']);
    expect(driver.log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', message: expect.stringContaining('could not be removed') }),
    );
    await rm(join(driver.pool, 'images/pvc-1.img'), { recursive: true });
    await driver.controller.deleteVolume(one().remove(), options);
    await access(join(driver.pool, 'images/pvc-2.img'));
  });

  test('a volume without its image is told at the start and can be deleted', async () => {
    await driver.controller.createVolume(one().create(), options);
    await unlink(join(driver.pool, 'images/pvc-1.img'));
    await restart('disk');
    expect(driver.log.lines.some((line) => line.level === 'error' && line.message.includes('lost its image'))).toBe(
      true,
    );
    await driver.controller.deleteVolume(one().remove(), options);
    expect(await filesOf(driver.pool)).toEqual([]);
  });
});

async function filesOf(pool: string): Promise<string[]> {
  const entries = await readdir(pool, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() || entry.name.startsWith('pvc-'))
    .map((entry) => entry.name)
    .filter((name) => name !== 'controller.lock');
}
