import { silentLogger } from '@holdfast/core';
import { ControllerService } from '@holdfast/csi-spec';
import { persistentVolumes } from '@holdfast/kube';
import { type Connection, dialUnix } from '@holdfast/rpc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ScriptedDriver, startScriptedDriver } from '../scripted-driver.ts';
import { startTestCluster, type TestCluster } from '../test-cluster.ts';
import { createHistory, type History } from './history.ts';

let cluster: TestCluster;
let driver: ScriptedDriver;
let history: History;
let connection: Connection;
beforeEach(async () => {
  cluster = await startTestCluster();
  driver = await startScriptedDriver();
  history = createHistory({ cluster, driver });
  connection = await dialUnix({ address: driver.socketPath, log: silentLogger });
});
afterEach(async () => {
  connection.close();
  await driver.stop();
  await cluster.stop();
});

const calls = () => connection.client(ControllerService);
const options = { timeoutMs: 5_000 };

async function create(name: string, parameters: Record<string, string> = {}): Promise<void> {
  await calls().createVolume(
    {
      name,
      capacityRange: undefined,
      volumeCapabilities: [],
      parameters,
      secrets: {},
      volumeContentSource: undefined,
      accessibilityRequirements: undefined,
      mutableParameters: {},
    },
    options,
  );
}

async function volumeObject(handle: string, finalizers: string[] = []): Promise<void> {
  await cluster.client.create(persistentVolumes, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv', finalizers },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Delete',
      csi: { driver: driver.name, volumeHandle: handle },
    },
  });
}

describe('a history', () => {
  it('has nothing to say of what is as it should be', async () => {
    await create('a');
    await create('a');
    await volumeObject('vol-a');
    await history.checkRest();
    expect(history.violations).toEqual([]);
  });

  it.each([
    ['I1: the driver has vol-a', () => create('a')],
    ['I4: the driver does not have vol-a', () => volumeObject('vol-a')],
    [
      'I8: CreateVolume a is not repeated as it was',
      async () => {
        await create('a', { tier: 'gold' });
        await create('a', { tier: 'silver' });
      },
    ],
    [
      'I2: DeleteVolume of vol-a',
      async () => {
        await create('a');
        await volumeObject('vol-a');
        await calls().deleteVolume({ volumeId: 'vol-a', secrets: {} }, options);
      },
    ],
    [
      'I5: PersistentVolume pv is to go and is held by example.com/mine',
      async () => {
        await create('a');
        await volumeObject('vol-a', ['example.com/mine']);
        await cluster.client.delete(persistentVolumes, { name: 'pv' });
      },
    ],
    [
      'I6: CreateVolume of a beside CreateVolume',
      async () => {
        const held = Promise.withResolvers<void>();
        let waiting = 0;
        driver.on('CreateVolume', async () => {
          waiting += 1;
          if (waiting === 2) held.resolve();
          await held.promise;
          return { volume: undefined };
        });
        await Promise.all([create('a'), create('a')]);
      },
    ],
  ])('%s', async (violation, act) => {
    await act();
    await history.checkRest();
    expect(history.violations.join('\n')).toContain(violation);
  });
});
