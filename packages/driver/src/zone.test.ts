import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNodeRegistry, type NodeRegistry } from './pool/node-registry.ts';
import { MiB, mountCapability, options, requestsFor } from './testing/requests.ts';
import { makeScratchFolder, removeScratchFolder, type ServedBackend, serveBackend } from './testing/served-backend.ts';

let dir: string;
let driver: ServedBackend;
let nodes: NodeRegistry;
beforeEach(async () => {
  dir = await makeScratchFolder();
  driver = await serveBackend('disk', dir, { role: 'controller', zone: 'zone-b' });
  nodes = createNodeRegistry(join(driver.pool, 'nodes'));
  await nodes.register('node-1', 'zone-a');
  await nodes.register('node-2', 'zone-b');
  await nodes.register('node-3', 'zone-b');
});
afterEach(async () => {
  await driver.stop();
  await removeScratchFolder(dir);
});

const inZone = (zone: string) => ({ segments: { 'topology.csi.holdfast/zone': zone } });
const volumeOf = (name: string) => requestsFor({ name, capability: mountCapability(), dir, sizeBytes: 16n * MiB });
const place = async (name: string, requisite: string[], preferred: string[] = []) =>
  (
    await driver.controller.createVolume(
      volumeOf(name).create({
        accessibilityRequirements: { requisite: requisite.map(inZone), preferred: preferred.map(inZone) },
      }),
      options,
    )
  ).volume?.accessibleTopology;

describe('a volume of a zone', () => {
  test('is made where it is asked for, in the order that is preferred, else in the controller’s own zone', async () => {
    expect(await place('one', ['zone-a'])).toEqual([inZone('zone-a')]);
    expect(await place('two', ['zone-b', 'zone-a'], ['zone-a', 'zone-b'])).toEqual([inZone('zone-a')]);
    expect(await place('three', [])).toEqual([inZone('zone-b')]);
    await expect(place('four', ['zone-c'])).rejects.toMatchObject({
      code: 'ResourceExhausted',
      message: expect.stringContaining('zone=zone-a'),
    });
  });

  test('is attached to any node of it, to one at a time, and to none of another zone', async () => {
    const volume = volumeOf('one');
    await place('one', ['zone-b']);
    await driver.controller.controllerPublishVolume(volume.attach('node-2'), options);
    await expect(driver.controller.controllerPublishVolume(volume.attach('node-3'), options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('attached to node node-2'),
    });
    await driver.controller.controllerUnpublishVolume(volume.detach('node-2'), options);
    await expect(driver.controller.controllerPublishVolume(volume.attach('node-1'), options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: 'volume one lies in zone zone-b, and node node-1 is in zone zone-a',
    });
    await driver.controller.controllerPublishVolume(volume.attach('node-3'), options);
  });
});

describe('the register of nodes', () => {
  test('has each node once, in the zone it gave last', async () => {
    await nodes.register('node-1');
    await nodes.register('node-2', 'zone-c');
    expect(await nodes.list()).toEqual([
      { nodeId: 'node-1', segments: { 'topology.csi.holdfast/node': 'node-1' } },
      { nodeId: 'node-2', ...inZone('zone-c') },
      { nodeId: 'node-3', ...inZone('zone-b') },
    ]);
    await nodes.register('node-1', 'zone-a');
    expect((await nodes.list())[0]).toEqual({ nodeId: 'node-1', ...inZone('zone-a') });
  });

  test('takes an entry half written for none, and clears away only its own node’s', async () => {
    const folder = join(driver.pool, 'nodes');
    await writeFile(join(folder, 'bm9kZS05.json.node-0123456789ab.tmp'), '{"ver');
    await mkdir(join(folder, 'bm9kZS00'));
    expect((await nodes.list()).map(({ nodeId }) => nodeId)).toEqual(['node-1', 'node-2', 'node-3', 'node-4']);
    await nodes.register('node-4', 'zone-a');
    expect(await readdir(folder)).toContain('bm9kZS05.json.node-0123456789ab.tmp');
  });

  test('names an entry that cannot be read, and who mends it', async () => {
    const file = join(driver.pool, 'nodes', `${Buffer.from('node-1').toString('base64url')}.json`);
    await writeFile(file, '{"half');
    await expect(nodes.list()).rejects.toThrow(`${file} cannot be read`);
    await expect(nodes.list()).rejects.toThrow('Restart the node plug-in of node-1');
  });
});
