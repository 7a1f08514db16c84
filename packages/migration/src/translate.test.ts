import type { PersistentVolume, StorageClass } from '@holdfast/kube';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  classToCsi,
  MigrationError,
  pluginOfDriver,
  pluginOfSpec,
  plugins,
  repairVolumeHandle,
  volumeToCsi,
  volumeToInTree,
} from './index.ts';

const metadata = { name: 'pv-1', uid: 'u', resourceVersion: '1', creationTimestamp: '' };
const aws = pluginOfDriver('ebs.csi.aws.com') ?? expect.fail('no plug-in');

function awsVolume(volumeID: string): PersistentVolume {
  return { metadata, spec: { awsElasticBlockStore: { volumeID }, accessModes: ['ReadWriteOnce'] } };
}

describe('a refusal', () => {
  test('of a volume names it, the value and what is wanted', () => {
    expect(() => volumeToCsi(aws, awsVolume('aws://zone/disk'))).toThrow(
      new MigrationError(
        'PersistentVolume "pv-1" cannot be translated: volumeID "aws://zone/disk" is not one of AWS: aws://ZONE/vol-ID or vol-ID is wanted',
      ),
    );
  });

  test('of a source that is not as it should be names the field', () => {
    const spec: object = { awsElasticBlockStore: { volumeID: 'vol-1', partition: '1' } };
    expect(() => volumeToCsi(aws, { metadata, spec })).toThrow(/awsElasticBlockStore\.partition is not as/);
  });

  test('of a class names it and the remedy', () => {
    const storageClass: StorageClass = {
      metadata: { ...metadata, name: 'fast' },
      provisioner: aws.inTreeName,
      parameters: { zone: 'us-west-2a' },
      allowedTopologies: [{ matchLabelExpressions: [{ key: 'rack', values: ['1'] }] }],
    };
    expect(() => classToCsi(aws, storageClass)).toThrow(
      'StorageClass "fast" cannot be translated: the class has both allowedTopologies and the parameter zone or zones: remove the parameter',
    );
  });

  test('of a volume of another plug-in says so', () => {
    expect(() => volumeToCsi(aws, { metadata, spec: { cinder: { volumeID: '1' } } })).toThrow(
      /has no awsElasticBlockStore/,
    );
  });
});

test('a driver that took no plug-in’s place has nothing to do with any of this', () => {
  expect(pluginOfDriver('disk.csi.holdfast')).toBeUndefined();
  expect(pluginOfSpec({ csi: { driver: 'ebs.csi.aws.com', volumeHandle: 'vol-1' } })).toBeUndefined();
  expect(pluginOfSpec({ awsElasticBlockStore: { volumeID: 'vol-1' } })?.driverName).toBe('ebs.csi.aws.com');
});

test('what is given is not changed', () => {
  const given = {
    metadata: { ...metadata, labels: { 'topology.kubernetes.io/zone': 'us-west-2a' } },
    spec: awsVolume('vol-1').spec ?? {},
  };
  const before = JSON.stringify(given);
  expect(volumeToCsi(aws, given).spec?.nodeAffinity).toBeDefined();
  expect(JSON.stringify(given)).toBe(before);
});

test('a translation to CSI and back is refused in words, or names the same volume', () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom('aws://us-west-2a/vol-1', 'vol-1', 'azure-storage-account-a-secret'),
  );
  fc.assert(
    fc.property(fc.constantFrom(...plugins), text, text, (plugin, id, zone) => {
      const source: object = {
        [plugin.field]: {
          volumeID: id,
          pdName: id,
          diskURI: id,
          secretName: id,
          shareName: 'share',
          volumePath: id,
          diskName: id,
        },
        claimRef: { namespace: 'shop', name: 'data' },
      };
      const volume = { metadata: { ...metadata, labels: { 'topology.kubernetes.io/zone': zone } }, spec: source };
      try {
        const translated = volumeToCsi(plugin, volume);
        expect(translated.spec).not.toHaveProperty(plugin.field);
        const handle = translated.spec?.csi?.volumeHandle ?? expect.fail('no handle');
        repairVolumeHandle(plugin, handle, id);
        const back = volumeToInTree(plugin, translated);
        expect(back.spec).not.toHaveProperty('csi');
        expect(Object.keys(back.spec ?? {})).toContain(plugin.field);
      } catch (error) {
        expect(error).toBeInstanceOf(MigrationError);
      }
    }),
  );
});
