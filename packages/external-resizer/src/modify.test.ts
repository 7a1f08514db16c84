import { persistentVolumeClaims, persistentVolumes, secrets } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { createTestFence } from '@holdfast/sandbox/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { claimRef, conditionTypes, grows, type Rig, startRig, storageOf } from './testing/rig.ts';

/** Waits for what happens on its own; long enough for a machine under load. */
function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 10 });
}

const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop();
});

/** A rig whose driver modifies volumes, and the classes `gold` and `silver`. */
async function setUp(volumeSpec: object = {}): Promise<Rig> {
  const capabilities = { controller: ['EXPAND_VOLUME', 'MODIFY_VOLUME'] } as const;
  const rig = await startRig({ capabilities }, volumeSpec);
  rigs.push(rig);
  rig.driver.on('ControllerModifyVolume', async () => ({}));
  await rig.createClass('gold', '9000');
  await rig.createClass('silver', '500');
  return rig;
}

const statusOf = async (rig: Rig) => (await rig.claim()).status?.modifyVolumeStatus;
const currentOf = async (rig: Rig) => (await rig.claim()).status?.currentVolumeAttributesClassName;
const eventuallyHas = (rig: Rig, name: string) => eventually(async () => expect(await currentOf(rig)).toBe(name));
const slow = ['--retry-interval-start=1h', '--retry-interval-max=1h'];

async function conditionOf(rig: Rig, type: string) {
  return (await rig.claim()).status?.conditions?.find((each) => each.type === type);
}

describe('a claim that asks for another class', () => {
  it('gets it with one call, three patches and one event, the volume before the claim', async () => {
    const rig = await setUp();
    await rig.start();
    rig.cluster.requests.length = 0;
    await rig.requestClass('gold');
    await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeModifySuccessful']));
    expect(rig.modifiedTo()).toEqual(['9000']);
    expect(rig.writes()).toEqual([
      'patch persistentvolumeclaims/status',
      'patch persistentvolumes',
      'patch persistentvolumeclaims/status',
      'create events',
    ]);
    expect((await rig.volume()).spec?.volumeAttributesClassName).toBe('gold');
    expect(await currentOf(rig)).toBe('gold');
    expect(await statusOf(rig)).toBeUndefined();
    expect(conditionTypes(await rig.claim())).toEqual([]);

    await rig.requestClass('silver');
    await eventuallyHas(rig, 'silver');
    expect(rig.modifiedTo()).toEqual(['9000', '500']);
    expect(rig.driver.callsOf('ControllerGetCapabilities')).toHaveLength(1);
  });

  it('says meanwhile which class is on its way', async () => {
    const rig = await setUp();
    const seen = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    rig.driver.on('ControllerModifyVolume', async () => {
      seen.resolve();
      await answer.promise;
      return {};
    });
    await rig.start();
    await rig.requestClass('gold');
    await seen.promise;
    expect(await statusOf(rig)).toEqual({ status: 'InProgress', targetVolumeAttributesClassName: 'gold' });
    const condition = await conditionOf(rig, 'ModifyingVolume');
    expect(condition).toMatchObject({ status: 'True', message: 'Modifying volume to "gold" is in progress.' });
    expect(condition?.lastTransitionTime).toBeTruthy();
    // A call that takes over a second is worth an event.
    await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeModify']));
    answer.resolve();
    await eventuallyHas(rig, 'gold');
  });

  it('is heard when it asks while the call for another class is under way', async () => {
    const rig = await setUp();
    let isFirst = true;
    rig.driver.on('ControllerModifyVolume', async () => {
      if (isFirst) await rig.requestClass('silver');
      isFirst = false;
      return {};
    });
    await rig.start();
    await rig.requestClass('gold');
    await eventuallyHas(rig, 'silver');
    expect(rig.modifiedTo()).toEqual(['9000', '500']);
  });

  it('is asked for with the names of claim and volume by --extra-modify-metadata', async () => {
    const rig = await setUp();
    await rig.start('--extra-modify-metadata');
    await rig.requestClass('gold');
    await eventuallyHas(rig, 'gold');
    expect(rig.driver.callsOf('ControllerModifyVolume')[0]?.request).toMatchObject({
      volumeId: 'vol-1',
      mutableParameters: {
        iops: '9000',
        'csi.storage.k8s.io/pvc/name': 'data',
        'csi.storage.k8s.io/pvc/namespace': 'default',
        'csi.storage.k8s.io/pv/name': 'pv-1',
      },
    });
  });

  it.each([
    ['VolumeAttributesClass=false', ['--feature-gates=VolumeAttributesClass=false'], 0],
    ['an API server that does not serve classes', [], 404],
  ])('is left alone with %s, and still grows', async (_name, flags, status) => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', grows(undefined, false));
    rig.cluster.intercept(({ resource, path }) =>
      status !== 0 && (resource === 'volumeattributesclasses' || path === '/apis/storage.k8s.io/v1')
        ? { status, body: { kind: 'Status', code: status, reason: 'NotFound', message: 'not found' } }
        : undefined,
    );
    await rig.requestClass('gold');
    await rig.start(...flags);
    await rig.request('2Gi');
    await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('2Gi'));
    expect(rig.modifiedTo()).toEqual([]);
    expect(
      rig.cluster.requests.some(
        ({ resource, userAgent, verb }) =>
          resource === 'volumeattributesclasses' && userAgent === rig.userAgent && verb !== 'get',
      ),
    ).toBe(false);
  });

  it('keeps no volume from growing when classes may not be listed', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', grows(undefined, false));
    const back = rig.cluster.intercept(({ resource, userAgent }) =>
      resource === 'volumeattributesclasses' && userAgent === rig.userAgent
        ? { status: 403, body: { kind: 'Status', code: 403, reason: 'Forbidden', message: 'no' } }
        : undefined,
    );
    await rig.start();
    await rig.requestClass('gold');
    await rig.request('2Gi');
    await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('2Gi'));
    expect(rig.modifiedTo()).toEqual([]);
    back();
    await eventuallyHas(rig, 'gold');
  });
});

describe('secrets', () => {
  const withSecret = { name: 'expand', namespace: 'default' };
  const csi = { driver: 'scripted.csi.holdfast', volumeHandle: 'vol-1', controllerExpandSecretRef: withSecret };

  async function createSecret(rig: Rig, name: string, password: string): Promise<void> {
    await rig.cluster.client.create(secrets, {
      metadata: { name, namespace: 'default' },
      data: { password: Buffer.from(password).toString('base64') },
    });
  }

  it('are those the provisioner noted on the volume, else those for expansions', async () => {
    const rig = await setUp({ csi });
    await createSecret(rig, 'expand', 'one');
    await createSecret(rig, 'modify', 'two');
    await rig.start();
    await rig.requestClass('gold');
    await eventuallyHas(rig, 'gold');
    const noted = {
      'volume.kubernetes.io/controller-modify-secret-name': 'modify',
      'volume.kubernetes.io/controller-modify-secret-namespace': 'default',
    };
    const body = { metadata: { annotations: noted } };
    await rig.cluster.client.patch(persistentVolumes, { name: 'pv-1' }, { kind: 'merge', body });
    await rig.requestClass('silver');
    await eventuallyHas(rig, 'silver');
    const passwords = rig.driver.callsOf('ControllerModifyVolume').map(({ request }) => request);
    expect(passwords).toMatchObject([{ secrets: { password: 'one' } }, { secrets: { password: 'two' } }]);
  });

  it('that are missing are named on the claim, and nothing is announced', async () => {
    const rig = await setUp({ csi });
    await rig.start('--retry-interval-max=20ms');
    await rig.requestClass('gold');
    await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeModifyFailed']));
    expect((await rig.events())[0]?.message).toContain('Secret "default/expand"');
    expect(await statusOf(rig)).toBeUndefined();
    await createSecret(rig, 'expand', 'one');
    await eventuallyHas(rig, 'gold');
  });

  it('that the driver repeats in its error are shown to nobody', async () => {
    const rig = await setUp({ csi });
    await createSecret(rig, 'expand', 'open-sesame');
    rig.driver.on('ControllerModifyVolume', async () => {
      throw rpcError('Internal', 'ran tool --password=open-sesame and it failed');
    });
    await rig.start();
    await rig.requestClass('gold');
    await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeModifyFailed']));
    await eventually(async () => expect(conditionTypes(await rig.claim())).toContain('ModifyVolumeError'));
    expect(JSON.stringify([await rig.claim(), await rig.events(), rig.log.lines])).not.toContain('open-sesame');
  });
});

describe('a class that is not there', () => {
  it('is waited for, and taken as soon as it appears', async () => {
    const rig = await setUp();
    await rig.start(...slow);
    rig.cluster.requests.length = 0;
    await rig.requestClass('bronze');
    await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeModifyFailed']));
    expect((await rig.events())[0]?.message).toBe(
      'VolumeAttributesClass "bronze" does not exist; create it, or name another in spec.volumeAttributesClassName',
    );
    await eventually(async () => expect(await statusOf(rig)).toEqual({ status: 'Pending' }));
    expect(conditionTypes(await rig.claim())).toEqual([]);
    expect(rig.writes()).toHaveLength(2);
    await rig.createClass('bronze', '100');
    await eventuallyHas(rig, 'bronze');
    expect(rig.modifiedTo()).toEqual(['100']);
  });

  it('is not said to be missing when only the watch of classes is late', async () => {
    const rig = await setUp();
    const late = Promise.withResolvers<undefined>();
    rig.cluster.intercept(({ verb, resource, query, userAgent }) => {
      if (verb !== 'watch' || resource !== 'volumeattributesclasses' || userAgent !== rig.userAgent) return undefined;
      // Without a streaming list, list and watch are two requests.
      if (query.includes('sendInitialEvents')) return { status: 400, body: { kind: 'Status', code: 400 } };
      return late.promise;
    });
    await rig.start();
    await eventually(() => expect(rig.log.lines.some(({ fields }) => fields['controller'] === 'modifier')).toBe(true));
    await rig.createClass('bronze', '100');
    await rig.requestClass('bronze');
    await eventuallyHas(rig, 'bronze');
    await rig.stopController();
    late.resolve(undefined);
    expect(await rig.reasons()).toEqual(['VolumeModifySuccessful']);
  });

  it('lets another one be asked for', async () => {
    const rig = await setUp();
    await rig.start(...slow);
    await rig.requestClass('bronze');
    await eventually(async () => expect(await statusOf(rig)).toEqual({ status: 'Pending' }));
    await rig.requestClass('gold');
    await eventuallyHas(rig, 'gold');
    expect(await statusOf(rig)).toBeUndefined();
  });

  it('but belongs to another driver is refused in words, until it is made anew for this one', async () => {
    const rig = await setUp();
    await rig.createClass('bronze', '100', 'other.csi');
    await rig.start(...slow);
    await rig.requestClass('bronze');
    await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeModifyFailed']));
    expect((await rig.events())[0]?.message).toContain(
      'VolumeAttributesClass "bronze" is for driver "other.csi", and the volume is of driver "scripted.csi.holdfast"',
    );
    expect(rig.modifiedTo()).toEqual([]);
    await rig.deleteClass('bronze');
    await rig.createClass('bronze', '200');
    await eventuallyHas(rig, 'bronze');
    expect(rig.modifiedTo()).toEqual(['200']);
  });
});

describe('a class that the driver calls impossible', () => {
  it('is asked for once, shown, and given up for another', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerModifyVolume', async ({ mutableParameters }) => {
      if (mutableParameters['iops'] === '9000') throw rpcError('InvalidArgument', 'too fast');
      return {};
    });
    await rig.start();
    rig.cluster.requests.length = 0;
    await rig.requestClass('gold');
    await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeModifyFailed']));
    await eventually(async () =>
      expect(await statusOf(rig)).toEqual({ status: 'Infeasible', targetVolumeAttributesClassName: 'gold' }),
    );
    expect(await conditionOf(rig, 'ModifyVolumeError')).toMatchObject({
      status: 'True',
      reason: 'InvalidArgument',
      message: 'too fast',
    });
    expect(await conditionOf(rig, 'ModifyingVolume')).toMatchObject({
      message: 'Modifying volume to "gold" failed. Waiting for retry.',
    });
    expect(rig.modifiedTo()).toEqual(['9000']);
    expect(rig.writes()).toHaveLength(3);
    await rig.requestClass('silver');
    await eventuallyHas(rig, 'silver');
    expect(rig.modifiedTo()).toEqual(['9000', '500']);
    expect(conditionTypes(await rig.claim())).toEqual([]);
  });

  it('is tried again after --retry-interval-max, and told once', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerModifyVolume', async () => {
      throw rpcError('InvalidArgument', 'too fast');
    });
    await rig.start('--retry-interval-max=50ms');
    await rig.requestClass('gold');
    await eventually(() => expect(rig.modifiedTo().length).toBeGreaterThanOrEqual(5));
    // Each try is InProgress first.
    await eventually(async () => expect(await statusOf(rig)).toMatchObject({ status: 'Infeasible' }));
    await rig.stopController();
    expect((await rig.events()).map(({ reason, count }) => [reason, count])).toEqual([['VolumeModifyFailed', 1]]);
  });

  it('is canceled by a claim that asks for none', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerModifyVolume', async () => {
      throw rpcError('InvalidArgument', 'too fast');
    });
    await rig.start(...slow);
    await rig.requestClass('gold');
    await eventually(async () => expect(await statusOf(rig)).toMatchObject({ status: 'Infeasible' }));
    const body = { spec: { volumeAttributesClassName: null } };
    await rig.cluster.client.patch(persistentVolumeClaims, claimRef, { kind: 'merge', body });
    await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeModifyCanceled', 'VolumeModifyFailed']));
    expect(conditionTypes(await rig.claim())).toEqual(['ModifyVolumeError']);
    expect(await statusOf(rig)).toMatchObject({ status: 'Infeasible' });
    expect(rig.modifiedTo()).toEqual(['9000']);
  });
});

describe('a call whose outcome is unknown', () => {
  it('is brought to its end before another class counts, also by the next process', async () => {
    const rig = await setUp();
    const back = rig.driver.on('ControllerModifyVolume', async () => {
      throw rpcError('DeadlineExceeded', 'still at it');
    });
    await rig.start(...slow);
    await rig.requestClass('gold');
    await eventually(async () => expect(conditionTypes(await rig.claim())).toContain('ModifyVolumeError'));
    expect(await conditionOf(rig, 'ModifyingVolume')).toMatchObject({
      message: 'Modifying volume to "gold" is still in progress.',
    });
    await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeModifyFailed']));
    expect((await rig.events())[0]?.message).toContain('. Still modifying to VAC gold');
    await rig.requestClass('silver');
    await eventually(() => expect(rig.modifiedTo()).toEqual(['9000', '9000']));
    await rig.stopController();
    back();
    await rig.start();
    await eventuallyHas(rig, 'silver');
    expect(rig.modifiedTo()).toEqual(['9000', '9000', '9000', '500']);
    expect((await rig.volume()).spec?.volumeAttributesClassName).toBe('silver');
  });

  it('keeps its class even when the claim no longer asks for any, or the class was deleted', async () => {
    const rig = await setUp();
    const back = rig.driver.on('ControllerModifyVolume', async () => {
      throw rpcError('Unavailable', 'back end restarts');
    });
    await rig.start(...slow);
    await rig.requestClass('gold');
    await eventually(async () => expect(conditionTypes(await rig.claim())).toContain('ModifyVolumeError'));
    await rig.deleteClass('gold');
    await rig.requestClass('silver');
    await eventually(async () =>
      expect((await rig.events()).map(({ message }) => message)).toContainEqual(
        expect.stringContaining('"gold" does not exist'),
      ),
    );
    expect(await statusOf(rig)).toEqual({ status: 'InProgress', targetVolumeAttributesClassName: 'gold' });
    back();
    await rig.createClass('gold', '9001');
    await eventuallyHas(rig, 'silver');
    expect(rig.modifiedTo()).toEqual(['9000', '9001', '500']);
  });

  it('lets another class count at once when it has failed for good', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerModifyVolume', async ({ mutableParameters }) => {
      if (mutableParameters['iops'] !== '9000') return {};
      await rig.requestClass('silver');
      throw rpcError('Internal', 'broken');
    });
    await rig.start(...slow);
    await rig.requestClass('gold');
    await eventuallyHas(rig, 'silver');
    expect(rig.modifiedTo()).toEqual(['9000', '500']);
  });
});

it('shows a failure that stays the same with one patch and one event', async () => {
  const rig = await setUp();
  rig.driver.on('ControllerModifyVolume', async () => {
    throw rpcError('Internal', 'broken');
  });
  await rig.start('--retry-interval-max=20ms');
  rig.cluster.requests.length = 0;
  await rig.requestClass('gold');
  await eventually(() => expect(rig.modifiedTo().length).toBeGreaterThanOrEqual(6));
  await rig.stopController();
  expect(rig.writes().sort()).toEqual([
    'create events',
    'patch persistentvolumeclaims/status',
    'patch persistentvolumeclaims/status',
  ]);
});

it('does not write over an expansion of the same claim, nor is it written over', async () => {
  const rig = await setUp();
  let underWay = 0;
  let most = 0;
  const alone = async <T>(answer: T): Promise<T> => {
    underWay += 1;
    most = Math.max(most, underWay);
    await rig.claim();
    underWay -= 1;
    return answer;
  };
  rig.driver.on('ControllerModifyVolume', () => alone({}));
  rig.driver.on('ControllerExpandVolume', (request) => grows(undefined, true)(request).then(alone));
  await rig.start();
  rig.cluster.requests.length = 0;
  const body = { spec: { volumeAttributesClassName: 'gold', resources: { requests: { storage: '2Gi' } } } };
  await rig.cluster.client.patch(persistentVolumeClaims, claimRef, { kind: 'merge', body });
  await eventually(async () =>
    expect(await rig.reasons()).toEqual(['FileSystemResizeRequired', 'VolumeModifySuccessful']),
  );
  expect(most).toBe(1);
  expect(conditionTypes(await rig.claim())).toEqual(['FileSystemResizePending', 'Resizing']);
  expect(rig.cluster.requests.filter(({ status }) => status === 409)).toEqual([]);
  expect(rig.writes()).toHaveLength(8);
});

it('keeps the conditions that others set meanwhile', async () => {
  const rig = await setUp();
  rig.driver.on('ControllerModifyVolume', async () => {
    const foreign = { status: { conditions: [{ type: 'Resizing', status: 'True' }] } };
    const patch = { kind: 'strategic', body: foreign } as const;
    await rig.cluster.client.patch(persistentVolumeClaims, claimRef, patch, { subresource: 'status' });
    return {};
  });
  await rig.start();
  await rig.requestClass('gold');
  await eventuallyHas(rig, 'gold');
  expect(conditionTypes(await rig.claim())).toEqual(['Resizing']);
  // The claim changed under the call, and still the driver was asked once.
  expect(rig.modifiedTo()).toEqual(['9000']);
});

it('writes the volume once when the claim could not be written the first time', async () => {
  const rig = await setUp();
  await rig.start();
  let refused = 0;
  rig.cluster.intercept(({ verb, resource }) => {
    if (verb !== 'patch' || resource !== 'persistentvolumeclaims') return undefined;
    if (refused > 0 || rig.modifiedTo().length === 0) return undefined;
    refused += 1;
    return { status: 500, body: { kind: 'Status', code: 500, reason: 'InternalError', message: 'etcd is away' } };
  });
  await rig.requestClass('gold');
  await eventuallyHas(rig, 'gold');
  expect(refused).toBe(1);
  expect(rig.writes().filter((write) => write === 'patch persistentvolumes')).toHaveLength(1);
});

it('writes and calls nothing once the lease is not surely its own', async () => {
  const rig = await setUp();
  const fence = createTestFence(false);
  await rig.startFenced(fence, '--retry-interval-max=20ms');
  rig.cluster.requests.length = 0;
  await rig.requestClass('gold');
  await eventually(() => expect(fence.counts.refusals).toBeGreaterThanOrEqual(3));
  expect(rig.writes()).toEqual([]);
  expect(rig.modifiedTo()).toEqual([]);
  fence.isHeld = true;
  await eventuallyHas(rig, 'gold');
});

it('of a claim made anew under the same name remembers nothing', async () => {
  const rig = await setUp();
  const back = rig.driver.on('ControllerModifyVolume', async () => {
    throw rpcError('Internal', 'broken');
  });
  await rig.start(...slow);
  await rig.requestClass('gold');
  await eventually(async () => expect(conditionTypes(await rig.claim())).toContain('ModifyVolumeError'));
  back();
  const { client } = rig.cluster;
  await client.patch(persistentVolumeClaims, claimRef, { kind: 'merge', body: { metadata: { finalizers: null } } });
  const { spec } = await rig.claim();
  await client.delete(persistentVolumeClaims, claimRef);
  const made = await client.create(persistentVolumeClaims, {
    metadata: claimRef,
    spec: { ...spec, volumeAttributesClassName: 'silver' },
  });
  const underWay = { status: 'InProgress', targetVolumeAttributesClassName: 'gold' };
  const status = { phase: 'Bound', capacity: { storage: '1Gi' }, modifyVolumeStatus: underWay };
  await client.patch(persistentVolumeClaims, claimRef, { kind: 'merge', body: { status } }, { subresource: 'status' });
  const ref = { spec: { claimRef: { uid: made.metadata.uid } } };
  await client.patch(persistentVolumes, { name: 'pv-1' }, { kind: 'merge', body: ref });
  await eventuallyHas(rig, 'silver');
  expect(rig.modifiedTo()).toEqual(['9000', '9000', '500']);
});
