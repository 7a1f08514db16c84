import { silentLogger } from '@holdfast/core';
import {
  ControllerService,
  CreateVolumeRequest,
  IdentityService,
  NodeService,
  pluginCapabilities,
} from '@holdfast/csi-spec';
import { type Connection, dialUnix, rpcError } from '@holdfast/rpc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ScriptedDriver, startScriptedDriver } from './index.ts';

let driver: ScriptedDriver;
let connection: Connection;

beforeEach(async () => {
  driver = await startScriptedDriver({
    name: 'test.csi.holdfast',
    capabilities: { plugin: ['CONTROLLER_SERVICE', 'EXPANSION_ONLINE'] },
  });
  connection = await dialUnix({ address: driver.socketPath, log: silentLogger });
});

afterEach(async () => {
  connection.close();
  await driver.stop();
});

const call = { timeoutMs: 10_000 };

describe('startScriptedDriver', () => {
  it('serves identity and the capabilities it was given', async () => {
    const identity = connection.client(IdentityService);
    expect((await identity.getPluginInfo({}, call)).name).toBe('test.csi.holdfast');
    const capabilities = pluginCapabilities(await identity.getPluginCapabilities({}, call));
    expect(capabilities).toEqual(new Set(['CONTROLLER_SERVICE', 'EXPANSION_ONLINE']));
  });

  it('keeps volumes from create to delete, and records every call', async () => {
    const controller = connection.client(ControllerService);
    const request = CreateVolumeRequest.fromPartial({ name: 'pvc-1', capacityRange: { requiredBytes: 5n } });
    const { volume } = await controller.createVolume(request, call);
    const again = await controller.createVolume(request, call);
    expect(again.volume?.volumeId).toBe(volume?.volumeId);
    expect([...driver.volumes.values()].map(({ name, capacityBytes }) => ({ name, capacityBytes }))).toEqual([
      { name: 'pvc-1', capacityBytes: 5n },
    ]);
    await controller.deleteVolume({ volumeId: volume?.volumeId ?? '', secrets: {} }, call);
    expect(driver.volumes.size).toBe(0);
    expect(driver.calls.map(({ method }) => method)).toEqual(['CreateVolume', 'CreateVolume', 'DeleteVolume']);
    expect(driver.callsOf('CreateVolume')[0]?.request).toMatchObject({ name: 'pvc-1' });
  });

  it('answers as a test tells it to, until told otherwise', async () => {
    const node = connection.client(NodeService);
    const restore = driver.on('NodeGetInfo', () => Promise.reject(rpcError('Internal', 'disk on fire')));
    await expect(node.nodeGetInfo({}, call)).rejects.toMatchObject({ code: 'Internal', message: 'disk on fire' });
    restore();
    expect((await node.nodeGetInfo({}, call)).nodeId).toBe('node-1');
  });

  it('answers Unimplemented for what nobody scripted', async () => {
    const controller = connection.client(ControllerService);
    await expect(controller.getSnapshot({ snapshotId: 's', secrets: {} }, call)).rejects.toMatchObject({
      code: 'Unimplemented',
    });
  });
});
