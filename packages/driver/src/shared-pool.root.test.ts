import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VolumeCapability_AccessMode_Mode as Mode } from '@holdfast/csi-spec';
import { findLoopDevice, listLoopDevices, mountsUnder, readMountInfo, runCommand } from '@holdfast/mount';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DriverProcess, startDriver } from './testing/driver-process.ts';
import { blockCapability, MiB, mountCapability, options, requestsFor } from './testing/requests.ts';
import { makeScratchFolder, removeScratchFolder } from './testing/served-backend.ts';

let dir: string;
let controller: DriverProcess;
let nodes: Map<string, DriverProcess>;
const zones = { 'node-1': 'zone-a', 'node-2': 'zone-a', 'node-3': 'zone-b' } as const;
type NodeName = keyof typeof zones;

beforeEach(async () => {
  dir = await makeScratchFolder();
  controller = await start('controller', ['--role=controller', '--node-id=elsewhere']);
  nodes = new Map();
  for (const name of ['node-1', 'node-2', 'node-3'] as const) await startNode(name);
});
afterEach(async () => {
  for (const driver of [controller, ...nodes.values()]) await driver.stop();
  for (const entry of mountsUnder(await readMountInfo(), dir).toReversed())
    await runCommand('umount', [entry.mountPoint]);
  for (const loop of await listLoopDevices()) {
    if (loop.backingFile.startsWith(dir)) await runCommand('losetup', ['--detach', loop.device]);
  }
  await removeScratchFolder(dir);
});

function start(name: string, args: readonly string[]): Promise<DriverProcess> {
  return startDriver(join(dir, name), [`--pool-dir=${join(dir, 'pool')}`, ...args]);
}

async function startNode(name: NodeName): Promise<void> {
  await nodes.get(name)?.kill();
  nodes.set(name, await start(name, ['--role=node', `--node-id=${name}`, `--zone=${zones[name]}`]));
}

function node(name: NodeName): DriverProcess['node'] {
  const driver = nodes.get(name);
  if (driver === undefined) throw new Error(`${name} does not run`);
  return driver.node;
}

/** A volume as one node sees it: paths of its own, as every kubelet has. */
const on = (name: NodeName, volumeId: string, capability = mountCapability()) =>
  requestsFor({ name: volumeId, capability, dir: join(dir, name), sizeBytes: 32n * MiB });

async function bringUp(name: NodeName, volumeId: string, capability = mountCapability()): Promise<string> {
  const volume = on(name, volumeId, capability);
  await controller.controller.controllerPublishVolume(volume.attach(name), options);
  await node(name).nodeStageVolume(volume.stage(), options);
  await node(name).nodePublishVolume(volume.publish(), options);
  return join(volume.targetPath, 'bytes');
}

async function takeDown(name: NodeName, volumeId: string): Promise<void> {
  const volume = on(name, volumeId);
  await node(name).nodeUnpublishVolume(volume.unpublish(), options);
  await node(name).nodeUnstageVolume(volume.unstage(), options);
  await controller.controller.controllerUnpublishVolume(volume.detach(name), options);
}

const create = (volumeId: string, zone: string, capability = mountCapability()) =>
  controller.controller.createVolume(
    on('node-1', volumeId, capability).create({
      accessibilityRequirements: { requisite: [{ segments: { 'topology.csi.holdfast/zone': zone } }], preferred: [] },
    }),
    options,
  );
const deviceOf = (volumeId: string) => findLoopDevice(join(dir, 'pool/images', `${volumeId}.img`));
const poolFiles = async () =>
  (await readdir(join(dir, 'pool'), { recursive: true })).filter((name) => /^(volumes|images|stages)\//.test(name));

describe('three nodes and a controller on one pool', () => {
  test('a volume moves between the nodes of its zone with its bytes, and goes without a trace', async () => {
    await create('pvc-1', 'zone-a');
    await writeFile(await bringUp('node-1', 'pvc-1'), 'kept');
    await takeDown('node-1', 'pvc-1');
    expect(await deviceOf('pvc-1')).toBeUndefined();
    expect(await readFile(await bringUp('node-2', 'pvc-1'), 'utf8')).toBe('kept');
    await expect(node('node-1').nodeStageVolume(on('node-1', 'pvc-1').stage(), options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('not attached to node node-1'),
    });
    await takeDown('node-2', 'pvc-1');
    await controller.controller.deleteVolume(on('node-1', 'pvc-1').remove(), options);
    expect(await poolFiles()).toEqual([]);
  });

  test('a node that starts leaves alone what others have staged or are making', async () => {
    const block = on('node-2', 'pvc-b', blockCapability());
    await create('pvc-b', 'zone-a', blockCapability());
    await controller.controller.controllerPublishVolume(block.attach('node-2'), options);
    await node('node-2').nodeStageVolume(block.stage(), options);
    // Staged and not yet published: nothing has the device open or mounted.
    const device = (await deviceOf('pvc-b'))?.device;
    expect(device).toMatch(/^\/dev\/loop/);
    const halfMade = join(dir, 'pool/volumes/pvc-h.json');
    const record = JSON.parse(await readFile(join(dir, 'pool/volumes/pvc-b.json'), 'utf8'));
    await writeFile(halfMade, JSON.stringify({ ...record, id: 'pvc-h', phase: 'creating', attachments: [] }));
    await writeFile(`${halfMade}.controller.tmp`, '{"ver');
    await writeFile(join(dir, 'pool/stages/pvc-x.json.node-0123456789ab.tmp'), '{"ver');
    const before = await poolFiles();
    await startNode('node-1');
    await startNode('node-3');
    expect((await deviceOf('pvc-b'))?.device).toBe(device);
    expect(await poolFiles()).toEqual(before);
    // Its own it does take down: kubelet stages and publishes again what it still wants.
    await startNode('node-2');
    expect(await deviceOf('pvc-b')).toBeUndefined();
    await node('node-2').nodePublishVolume(block.publish(), options);
    await node('node-2').nodeUnpublishVolume(block.unpublish(), options);
    await node('node-2').nodeUnstageVolume(block.unstage(), options);
  });

  test('a volume taken from a lost node serves the next one, also when the lost one comes back and clears up', async () => {
    await create('pvc-1', 'zone-a');
    const lost = await bringUp('node-1', 'pvc-1');
    await writeFile(lost, 'kept');
    await nodes.get('node-1')?.kill();
    await controller.controller.controllerUnpublishVolume(on('node-1', 'pvc-1').detach('node-1'), options);
    const file = await bringUp('node-2', 'pvc-1');
    expect(await readFile(file, 'utf8')).toBe('kept');
    await startNode('node-1');
    await node('node-1').nodeUnpublishVolume(on('node-1', 'pvc-1').unpublish(), options);
    await node('node-1').nodeUnstageVolume(on('node-1', 'pvc-1').unstage(), options);
    await writeFile(file, 'still written');
    expect(mountsUnder(await readMountInfo(), join(dir, 'node-1'))).toEqual([]);
    await takeDown('node-2', 'pvc-1');
    expect(await deviceOf('pvc-1')).toBeUndefined();
    await controller.controller.deleteVolume(on('node-1', 'pvc-1').remove(), options);
    expect(await poolFiles()).toEqual([]);
  });

  test('a volume taken from a lost node is the next one’s alone, and leaves it while the lost one stays away', async () => {
    const capability = mountCapability('', Mode.SINGLE_NODE_SINGLE_WRITER);
    await create('pvc-1', 'zone-a', capability);
    await bringUp('node-1', 'pvc-1', capability);
    await nodes.get('node-1')?.kill();
    await controller.controller.controllerUnpublishVolume(on('node-1', 'pvc-1').detach('node-1'), options);
    await bringUp('node-2', 'pvc-1', capability);
    await takeDown('node-2', 'pvc-1');
    expect(mountsUnder(await readMountInfo(), join(dir, 'node-2'))).toEqual([]);
    await expect(controller.controller.deleteVolume(on('node-1', 'pvc-1').remove(), options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
    });
    await startNode('node-1');
    await node('node-1').nodeUnpublishVolume(on('node-1', 'pvc-1').unpublish(), options);
    await node('node-1').nodeUnstageVolume(on('node-1', 'pvc-1').unstage(), options);
    await controller.controller.deleteVolume(on('node-1', 'pvc-1').remove(), options);
    expect(await poolFiles()).toEqual([]);
  });

  test('a block volume taken from a lost node keeps its device when the lost one clears up', async () => {
    const capability = blockCapability();
    await create('pvc-b', 'zone-a', capability);
    const [lost, next] = [on('node-1', 'pvc-b', capability), on('node-2', 'pvc-b', capability)];
    await controller.controller.controllerPublishVolume(lost.attach('node-1'), options);
    await node('node-1').nodeStageVolume(lost.stage(), options);
    await controller.controller.controllerUnpublishVolume(lost.detach('node-1'), options);
    await controller.controller.controllerPublishVolume(next.attach('node-2'), options);
    await node('node-2').nodeStageVolume(next.stage(), options);
    await node('node-1').nodeUnstageVolume(lost.unstage(), options);
    expect(await deviceOf('pvc-b')).toBeDefined();
    await node('node-2').nodeUnstageVolume(next.unstage(), options);
    expect(await deviceOf('pvc-b')).toBeUndefined();
  });
});
