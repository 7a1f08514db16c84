import { persistentVolumeClaims, secrets } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { createTestFence } from '@holdfast/sandbox/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { annotations } from './names.ts';
import { claimRef, conditionTypes, GI, grows, type Rig, startRig, storageOf } from './testing/rig.ts';

/** Waits for what happens on its own; long enough for a machine under load. */
function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 10 });
}

const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop();
});

async function setUp(...options: Parameters<typeof startRig>): Promise<Rig> {
  const rig = await startRig(...options);
  rigs.push(rig);
  return rig;
}

describe('a volume that the controller expands alone', () => {
  it('grows with one call, three patches and one event', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', grows(undefined, false));
    await rig.start();
    rig.cluster.requests.length = 0;
    await rig.request('3Gi');
    await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeResizeSuccessful']));

    expect(rig.expandedTo()).toEqual([3n * GI]);
    expect(rig.writes()).toEqual([
      'patch persistentvolumeclaims/status',
      'patch persistentvolumes',
      'patch persistentvolumeclaims/status',
      'create events',
    ]);
    const claim = await rig.claim();
    expect(storageOf(claim.status?.capacity)).toBe('3Gi');
    expect(storageOf(claim.status?.allocatedResources)).toBe('3Gi');
    expect(storageOf(claim.status?.allocatedResourceStatuses)).toBeUndefined();
    expect(conditionTypes(claim)).toEqual([]);
    expect(claim.metadata.annotations?.[annotations.nodeExpansionNotRequired]).toBe('true');
    const volume = await rig.volume();
    expect(storageOf(volume.spec?.capacity)).toBe('3Gi');
    expect(volume.metadata.annotations?.[annotations.preResizeCapacity]).toBeUndefined();
  });

  it('gets what the driver needs to know, and capabilities are asked once', async () => {
    const secretRef = { name: 'expand', namespace: 'default' };
    const rig = await setUp(
      {},
      {
        csi: {
          driver: 'scripted.csi.holdfast',
          volumeHandle: 'vol-1',
          fsType: 'xfs',
          controllerExpandSecretRef: secretRef,
        },
      },
    );
    await rig.cluster.client.create(secrets, {
      metadata: secretRef,
      data: { password: Buffer.from('sesame-42').toString('base64') },
    });
    rig.driver.on('ControllerExpandVolume', grows(undefined, false));
    await rig.start();
    await rig.request('2Gi');
    await eventually(async () => expect(await rig.reasons()).toHaveLength(1));
    await rig.request('3Gi');
    await eventually(() => expect(rig.expandedTo()).toEqual([2n * GI, 3n * GI]));
    expect(rig.driver.callsOf('ControllerExpandVolume')[0]?.request).toMatchObject({
      volumeId: 'vol-1',
      secrets: { password: 'sesame-42' },
      volumeCapability: {
        accessType: { $case: 'mount', value: { fsType: 'xfs', mountFlags: ['noatime'] } },
        accessMode: { mode: 1 },
      },
    });
    expect(rig.driver.callsOf('ControllerGetCapabilities')).toHaveLength(1);
  });

  it('keeps a size beyond what a double can count', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', grows(undefined, false));
    await rig.start();
    await rig.request('9007199254740993');
    await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('9007199254740993'));
    expect(rig.expandedTo()).toEqual([9007199254740993n]);
  });
});

describe('a volume that the node has to finish', () => {
  it('is handed over to kubelet, and left alone until kubelet is done', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', grows(undefined, true));
    await rig.start();
    rig.cluster.requests.length = 0;
    await rig.request('2Gi');
    await eventually(async () => expect(await rig.reasons()).toEqual(['FileSystemResizeRequired']));
    const claim = await rig.claim();
    expect(storageOf(claim.status?.capacity)).toBe('1Gi');
    expect(storageOf(claim.status?.allocatedResourceStatuses)).toBe('NodeResizePending');
    expect(conditionTypes(claim)).toEqual(['FileSystemResizePending', 'Resizing']);
    expect((await rig.volume()).metadata.annotations?.[annotations.preResizeCapacity]).toBe('1Gi');
    expect(rig.writes().slice(0, 3)).toEqual([
      'patch persistentvolumeclaims/status',
      'patch persistentvolumes',
      'patch persistentvolumeclaims/status',
    ]);

    await rig.request('3Gi');
    const finish = { status: { capacity: { storage: '2Gi' }, allocatedResourceStatuses: null, conditions: [] } };
    await rig.cluster.client.patch(
      persistentVolumeClaims,
      claimRef,
      { kind: 'merge', body: finish },
      { subresource: 'status' },
    );
    await eventually(async () => expect(storageOf((await rig.volume()).spec?.capacity)).toBe('3Gi'));
    expect(rig.expandedTo()).toEqual([2n * GI, 3n * GI]);
    // Whoever reads it, reads the size that the file system has.
    expect((await rig.volume()).metadata.annotations?.[annotations.preResizeCapacity]).toBe('2Gi');
  });

  it('keeps the conditions that others set meanwhile', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', async (request) => {
      const foreign = { status: { conditions: [{ type: 'ModifyingVolume', status: 'True' }] } };
      await rig.cluster.client.patch(
        persistentVolumeClaims,
        claimRef,
        { kind: 'strategic', body: foreign },
        { subresource: 'status' },
      );
      return grows(undefined, true)(request);
    });
    await rig.start();
    await rig.request('2Gi');
    await eventually(async () => expect(await rig.reasons()).toEqual(['FileSystemResizeRequired']));
    expect(conditionTypes(await rig.claim())).toEqual(['FileSystemResizePending', 'ModifyingVolume', 'Resizing']);
    // The claim changed under the call, and still the driver was asked once.
    expect(rig.expandedTo()).toEqual([2n * GI]);
  });

  it('of a driver that only expands on the node is not asked for at all', async () => {
    const rig = await setUp({
      capabilities: { plugin: ['CONTROLLER_SERVICE'], controller: [], node: ['EXPAND_VOLUME'] },
    });
    await rig.start();
    rig.cluster.requests.length = 0;
    await rig.request('2Gi');
    await eventually(async () => expect(await rig.reasons()).toEqual(['FileSystemResizeRequired']));
    expect(rig.expandedTo()).toEqual([]);
    expect(storageOf((await rig.volume()).spec?.capacity)).toBe('2Gi');
    expect(storageOf((await rig.claim()).status?.allocatedResourceStatuses)).toBe('NodeResizePending');
    expect(rig.writes()).toHaveLength(4);
  });
});

describe('a size that the driver calls impossible', () => {
  it('is asked for once, shown, and recovered from by a lower request', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', async (request) => {
      if ((request.capacityRange?.requiredBytes ?? 0n) > 5n * GI) throw rpcError('OutOfRange', 'the pool has 5Gi');
      return grows(undefined, false)(request);
    });
    await rig.start();
    await rig.request('9Gi');
    await eventually(async () => {
      expect(storageOf((await rig.claim()).status?.allocatedResourceStatuses)).toBe('ControllerResizeInfeasible');
    });
    const failed = await rig.claim();
    expect(conditionTypes(failed)).toEqual(['ControllerResizeError', 'Resizing']);
    expect(failed.status?.conditions?.find(({ type }) => type === 'ControllerResizeError')?.message).toBe(
      'failed to expand pvc with rpc error: code = OutOfRange desc = the pool has 5Gi',
    );
    await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeResizeFailed']));
    expect(rig.expandedTo()).toEqual([9n * GI]);

    await rig.request('4Gi');
    await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('4Gi'));
    expect(rig.expandedTo()).toEqual([9n * GI, 4n * GI]);
    const recovered = await rig.claim();
    expect(storageOf(recovered.status?.allocatedResources)).toBe('4Gi');
    expect(storageOf(recovered.status?.allocatedResourceStatuses)).toBeUndefined();
    expect(conditionTypes(recovered)).toEqual([]);
  });

  it('is tried again after --retry-interval-max', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', async () => {
      throw rpcError('InvalidArgument', 'no');
    });
    await rig.start('--retry-interval-max=50ms');
    await rig.request('9Gi');
    await eventually(() => expect(rig.expandedTo().length).toBeGreaterThanOrEqual(3));
  });
});

describe('an expansion whose outcome is unknown', () => {
  it('is brought to its end before a lower request counts, also by the next process', async () => {
    const rig = await setUp();
    const back = rig.driver.on('ControllerExpandVolume', async () => {
      throw rpcError('DeadlineExceeded', 'still at it');
    });
    await rig.start('--retry-interval-start=1h', '--retry-interval-max=1h');
    await rig.request('5Gi');
    await eventually(() => expect(rig.expandedTo()).toEqual([5n * GI]));
    expect(storageOf((await rig.claim()).status?.allocatedResourceStatuses)).toBe('ControllerResizeInProgress');
    await rig.request('2Gi');
    await eventually(() => expect(rig.expandedTo()).toEqual([5n * GI, 5n * GI]));
    await rig.stopController();
    back();
    rig.driver.on('ControllerExpandVolume', grows(undefined, false));
    await rig.start();
    await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('5Gi'));
    expect(rig.expandedTo()).toEqual([5n * GI, 5n * GI, 5n * GI]);
  });

  it('costs no status patch per retry', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', async () => {
      throw rpcError('Unavailable', 'back end restarts');
    });
    await rig.start('--retry-interval-max=20ms');
    rig.cluster.requests.length = 0;
    await rig.request('5Gi');
    await eventually(() => expect(rig.expandedTo().length).toBeGreaterThanOrEqual(4));
    expect(rig.writes().filter((write) => write.includes('claims'))).toEqual(['patch persistentvolumeclaims/status']);
  });
});

it('lets a lower request count after an error that ended the expansion', async () => {
  const rig = await setUp();
  rig.driver.on('ControllerExpandVolume', async (request) => {
    if ((request.capacityRange?.requiredBytes ?? 0n) > 2n * GI) throw rpcError('Internal', 'broken');
    return grows(undefined, false)(request);
  });
  await rig.start();
  await rig.request('5Gi');
  await eventually(async () =>
    expect(conditionTypes(await rig.claim())).toEqual(['ControllerResizeError', 'Resizing']),
  );
  await rig.request('2Gi');
  await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('2Gi'));
});

it('does not retry past its back-off because of what it wrote itself', async () => {
  const rig = await setUp();
  rig.driver.on('ControllerExpandVolume', async () => {
    throw rpcError('Internal', 'broken');
  });
  await rig.start('--retry-interval-start=1h', '--retry-interval-max=1h');
  await rig.request('5Gi');
  await eventually(async () => expect(conditionTypes(await rig.claim())).toContain('ControllerResizeError'));
  await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeResizeFailed']));
  await rig.request('6Gi');
  await eventually(() => expect(rig.expandedTo().length).toBeGreaterThanOrEqual(2));
  expect(rig.expandedTo()).toEqual([5n * GI, 6n * GI]);
});

it('writes and calls nothing once the lease is not surely its own', async () => {
  const rig = await setUp();
  rig.driver.on('ControllerExpandVolume', grows(undefined, false));
  const fence = createTestFence(false);
  await rig.startFenced(fence, '--retry-interval-max=20ms');
  rig.cluster.requests.length = 0;
  await rig.request('2Gi');
  await eventually(() => expect(fence.counts.refusals).toBeGreaterThanOrEqual(3));
  expect(rig.writes()).toEqual([]);
  expect(rig.expandedTo()).toEqual([]);
  fence.isHeld = true;
  await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('2Gi'));
});

it('does not call the driver when the lease went away after the claim was written', async () => {
  const rig = await setUp();
  rig.driver.on('ControllerExpandVolume', grows(undefined, false));
  const fence = createTestFence(true);
  rig.cluster.intercept(({ verb, resource, userAgent }) => {
    if (userAgent === rig.userAgent && verb === 'patch' && resource === 'persistentvolumeclaims') fence.isHeld = false;
    return undefined;
  });
  await rig.startFenced(fence, '--retry-interval-max=20ms');
  await rig.request('2Gi');
  await eventually(() => expect(fence.counts.refusals).toBeGreaterThanOrEqual(3));
  expect(storageOf((await rig.claim()).status?.allocatedResourceStatuses)).toBe('ControllerResizeInProgress');
  expect(rig.expandedTo()).toEqual([]);
});

it('clears the pre-resize capacity once the node has caught up', async () => {
  const rig = await setUp();
  rig.driver.on('ControllerExpandVolume', grows(undefined, true));
  await rig.start();
  await rig.request('2Gi');
  await eventually(async () => expect(await rig.reasons()).toEqual(['FileSystemResizeRequired']));
  expect((await rig.volume()).metadata.annotations?.[annotations.preResizeCapacity]).toBe('1Gi');
  const finish = { status: { capacity: { storage: '2Gi' }, allocatedResourceStatuses: null, conditions: [] } };
  await rig.cluster.client.patch(
    persistentVolumeClaims,
    claimRef,
    { kind: 'merge', body: finish },
    { subresource: 'status' },
  );
  await eventually(async () => {
    expect((await rig.volume()).metadata.annotations?.[annotations.preResizeCapacity]).toBeUndefined();
  });
});

it('writes no pre-resize capacity without the gate AnnotateFsResize', async () => {
  const rig = await setUp();
  rig.driver.on('ControllerExpandVolume', grows(undefined, true));
  await rig.start('--feature-gates=AnnotateFsResize=false');
  await rig.request('2Gi');
  await eventually(async () => expect(await rig.reasons()).toEqual(['FileSystemResizeRequired']));
  expect((await rig.volume()).metadata.annotations?.[annotations.preResizeCapacity]).toBeUndefined();
});

it('takes the error off the claim once it has been overcome, and when another size is begun', async () => {
  const rig = await setUp();
  const seen: string[][] = [];
  let isBroken = true;
  rig.driver.on('ControllerExpandVolume', async (request) => {
    seen.push(conditionTypes(await rig.claim()));
    if (isBroken) throw rpcError('Internal', 'broken');
    return grows(undefined, true)(request);
  });
  await rig.start('--retry-interval-start=1h', '--retry-interval-max=1h');
  await rig.request('4Gi');
  await eventually(async () =>
    expect(conditionTypes(await rig.claim())).toEqual(['ControllerResizeError', 'Resizing']),
  );
  await rig.request('3Gi');
  await eventually(async () => expect((await rig.events())[0]?.count).toBe(2));
  expect(seen).toEqual([['Resizing'], ['Resizing']]);
  await eventually(async () =>
    expect(conditionTypes(await rig.claim())).toEqual(['ControllerResizeError', 'Resizing']),
  );

  await rig.stopController();
  isBroken = false;
  await rig.start();
  await eventually(async () => {
    expect(conditionTypes(await rig.claim())).toEqual(['FileSystemResizePending', 'Resizing']);
  });
  expect(seen[2]).toEqual(['ControllerResizeError', 'Resizing']);
});

it('takes back on the claim that the node need not expand, when it has to', async () => {
  const rig = await setUp();
  const back = rig.driver.on('ControllerExpandVolume', grows(undefined, false));
  await rig.start();
  await rig.request('2Gi');
  await eventually(async () => {
    expect((await rig.claim()).metadata.annotations?.[annotations.nodeExpansionNotRequired]).toBe('true');
  });
  back();
  rig.driver.on('ControllerExpandVolume', grows(undefined, true));
  await rig.request('3Gi');
  await eventually(async () => {
    expect(storageOf((await rig.claim()).status?.allocatedResourceStatuses)).toBe('NodeResizePending');
  });
  expect((await rig.claim()).metadata.annotations?.[annotations.nodeExpansionNotRequired]).toBeUndefined();
});

it('shows a failure that stays the same with one patch', async () => {
  const rig = await setUp();
  rig.driver.on('ControllerExpandVolume', async () => {
    throw rpcError('Internal', 'broken');
  });
  await rig.start('--retry-interval-max=20ms');
  rig.cluster.requests.length = 0;
  await rig.request('5Gi');
  await eventually(() => expect(rig.expandedTo().length).toBeGreaterThanOrEqual(5));
  expect(rig.writes().filter((write) => write.includes('claims'))).toEqual([
    'patch persistentvolumeclaims/status',
    'patch persistentvolumeclaims/status',
  ]);
});
