import { persistentVolumeClaims, persistentVolumes, pods, secrets } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { afterEach, describe, expect, it, vi } from 'vitest';
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

describe('a driver whose answer cannot be', () => {
  it.each([
    ['0 bytes', 0n, 'to 0 where at least 3Gi was asked for'],
    ['less than asked', 2n * GI, 'to 2Gi where at least 3Gi was asked for'],
  ])('%s: is told on the claim, and the volume is not touched', async (_name, answer, text) => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', grows(answer, false));
    await rig.start();
    await rig.request('3Gi');
    await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeResizeFailed']));
    const [event] = await rig.events();
    expect(event?.message).toContain(text);
    expect(event?.message).toContain('fault of the driver');
    await eventually(() => expect(rig.expandedTo().length).toBeGreaterThanOrEqual(2));
    expect(rig.writes().filter((write) => write === 'patch persistentvolumes')).toEqual([]);
    expect(storageOf((await rig.claim()).status?.capacity)).toBe('1Gi');
  });
});

describe('a driver that only expands unused volumes', () => {
  it('is not called again while a pod uses the volume, and is as soon as the pod is gone', async () => {
    const rig = await setUp();
    const { client } = rig.cluster;
    const pod = await client.create(pods, {
      metadata: { name: 'web-0', namespace: 'default' },
      spec: {
        containers: [{ name: 'c', image: 'i' }],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
      },
    });
    const done = await client.create(pods, { ...pod, metadata: { name: 'done-0', namespace: 'default' } });
    await client.patch(
      pods,
      done.metadata,
      { kind: 'merge', body: { status: { phase: 'Succeeded' } } },
      { subresource: 'status' },
    );
    let isInUse = true;
    rig.driver.on('ControllerExpandVolume', async (request) => {
      if (isInUse) throw rpcError('FailedPrecondition', 'volume is published');
      return grows(undefined, false)(request);
    });
    await rig.start();
    expect(
      rig.cluster.requests.some(({ resource, userAgent }) => resource === 'pods' && userAgent === rig.userAgent),
    ).toBe(false);
    await rig.request('2Gi');
    await eventually(async () => {
      const told = (await rig.events()).find(({ message }) => message?.includes('web-0'));
      expect(told?.message).toContain('only supports offline expansion');
    });
    const calls = rig.expandedTo().length;
    await rig.request('3Gi');
    isInUse = false;
    await client.delete(pods, pod.metadata, { gracePeriodSeconds: 0 });
    await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('3Gi'));
    expect(rig.expandedTo()).toHaveLength(calls + 1);

    // What the driver once refused is no more held against it.
    await client.create(pods, {
      metadata: { name: 'web-1', namespace: 'default' },
      spec: {
        containers: [{ name: 'c', image: 'i' }],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
      },
    });
    await rig.request('4Gi');
    await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('4Gi'));
  });

  it('waits for the end of its pod, and pods without a claim are not kept', async () => {
    const rig = await setUp();
    const { client } = rig.cluster;
    const containers = [{ name: 'c', image: 'i' }];
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }];
    await client.create(pods, { metadata: { name: 'bare-0', namespace: 'default' }, spec: { containers } });
    const web = { name: 'web-0', namespace: 'default' };
    await client.create(pods, { metadata: web, spec: { containers, volumes } });
    rig.driver.on('ControllerExpandVolume', async () => {
      throw rpcError('FailedPrecondition', 'volume is published');
    });
    await rig.start('--retry-interval-start=10ms', '--retry-interval-max=10ms');
    await rig.request('2Gi');
    await eventually(() =>
      expect(rig.log.lines.some(({ message }) => message === 'Waiting until no pod uses the volume')).toBe(true),
    );
    const populated = rig.log.lines.find(({ fields }) => fields['plural'] === 'pods');
    expect(populated?.fields).toMatchObject({ objects: 1 });
    const calls = rig.expandedTo().length;
    await client.patch(
      pods,
      web,
      { kind: 'merge', body: { status: { phase: 'Succeeded' } } },
      { subresource: 'status' },
    );
    await eventually(() => expect(rig.expandedTo().length).toBeGreaterThan(calls));
  });

  it('is called in any case with --handle-volume-inuse-error=false', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', async () => {
      throw rpcError('FailedPrecondition', 'volume is published');
    });
    await rig.start('--handle-volume-inuse-error=false', '--retry-interval-max=20ms');
    await rig.request('2Gi');
    await eventually(() => expect(rig.expandedTo().length).toBeGreaterThanOrEqual(4));
    expect(
      rig.cluster.requests.some(({ resource, userAgent }) => resource === 'pods' && userAgent === rig.userAgent),
    ).toBe(false);
  });
});

it('asks for a raw block volume as one', async () => {
  const rig = await setUp({}, { volumeMode: 'Block', accessModes: ['ReadWriteMany'] });
  rig.driver.on('ControllerExpandVolume', grows(undefined, false));
  await rig.start();
  await rig.request('2Gi');
  await eventually(() => expect(rig.expandedTo()).toHaveLength(1));
  expect(rig.driver.callsOf('ControllerExpandVolume')[0]?.request).toMatchObject({
    volumeCapability: { accessType: { $case: 'block' }, accessMode: { mode: 5 } },
  });
});

it('sees a volume that comes after its claim', async () => {
  const rig = await setUp();
  rig.driver.on('ControllerExpandVolume', grows(undefined, false));
  const { metadata: _old, ...volume } = await rig.volume();
  await rig.cluster.client.patch(
    persistentVolumes,
    { name: 'pv-1' },
    { kind: 'merge', body: { metadata: { finalizers: null } } },
  );
  await rig.cluster.client.delete(persistentVolumes, { name: 'pv-1' });
  await rig.request('2Gi');
  await rig.start();
  await rig.cluster.client.create(persistentVolumes, { ...volume, metadata: { name: 'pv-1' } });
  await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('2Gi'));
});

it('looks at every claim again each --resync-period', async () => {
  const rig = await setUp();
  let isBroken = true;
  rig.driver.on('ControllerExpandVolume', async (request) => {
    if (isBroken) throw rpcError('Internal', 'broken');
    return grows(undefined, false)(request);
  });
  await rig.start('--retry-interval-start=1h', '--retry-interval-max=1h', '--resync-period=50ms');
  await rig.request('2Gi');
  await eventually(() => expect(rig.expandedTo().length).toBeGreaterThanOrEqual(2));
  isBroken = false;
  await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('2Gi'));
});

it('leaves the claim to whoever began another expansion under it', async () => {
  const rig = await setUp();
  let hasInterfered = false;
  rig.driver.on('ControllerExpandVolume', async (request) => {
    if (!hasInterfered) {
      hasInterfered = true;
      const body = { status: { allocatedResources: { storage: '9Gi' } } };
      await rig.cluster.client.patch(
        persistentVolumeClaims,
        claimRef,
        { kind: 'merge', body },
        { subresource: 'status' },
      );
    }
    return grows(undefined, false)(request);
  });
  await rig.start();
  await rig.request('2Gi');
  await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('9Gi'));
  expect(rig.expandedTo()).toEqual([2n * GI, 9n * GI]);
});

it.each([
  ['more', '3Gi', [2n * GI, 3n * GI], '3Gi'],
  ['less', '1536Mi', [2n * GI], '2Gi'],
])(
  'records what was expanded when the claim asks for %s under it, and without waiting',
  async (_, other, calls, end) => {
    const rig = await setUp();
    const recorded: (string | undefined)[] = [];
    rig.driver.on('ControllerExpandVolume', async (request) => {
      recorded.push(storageOf((await rig.claim()).status?.allocatedResources));
      await rig.request(other);
      return grows(undefined, false)(request);
    });
    await rig.start('--retry-interval-start=1h', '--retry-interval-max=1h');
    await rig.request('2Gi');
    await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe(end));
    expect(storageOf((await rig.volume()).spec?.capacity)).toBe(end);
    expect(rig.expandedTo()).toEqual(calls);
    expect(recorded).toEqual(calls.map((bytes) => `${bytes / GI}Gi`));
    // The claim was another by the time it was written, and was read again.
    expect(rig.cluster.requests.some(({ status, userAgent }) => status === 409 && userAgent === rig.userAgent)).toBe(
      true,
    );
  },
);

it.each<[string, bigint]>([
  ['2e9', 2_000_000_000n],
  ['2.5Gi', (5n * GI) / 2n],
  ['2000000000500m', 2_000_000_001n],
  ['1500M', 1_500_000_000n],
  ['7Ei', 7n * 1024n ** 6n],
  ['9223372036854775807', 2n ** 63n - 1n],
])('asks for %s as Go counts it, rounded up', async (text, bytes) => {
  const rig = await setUp();
  rig.driver.on('ControllerExpandVolume', grows(undefined, false));
  await rig.start();
  await rig.request(text);
  await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeResizeSuccessful']));
  expect(rig.expandedTo()).toEqual([bytes]);
  expect(rig.driver.callsOf('ControllerExpandVolume')).toHaveLength(1);
});

it('refuses a size that no int64 holds, and goes on with one that it holds', async () => {
  const rig = await setUp();
  rig.driver.on('ControllerExpandVolume', grows(undefined, false));
  await rig.start();
  await rig.request('9Ei');
  await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeResizeFailed']));
  expect((await rig.events())[0]?.message).toContain('9Ei');
  expect(rig.expandedTo()).toEqual([]);
  await rig.request('2Gi');
  await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('2Gi'));
});

it('drops an expansion whose claim goes away under it', async () => {
  const rig = await setUp();
  const { client } = rig.cluster;
  rig.driver.on('ControllerExpandVolume', async (request) => {
    await client.patch(persistentVolumeClaims, claimRef, { kind: 'merge', body: { metadata: { finalizers: null } } });
    await client.delete(persistentVolumeClaims, claimRef);
    return grows(undefined, false)(request);
  });
  await rig.start('--retry-interval-max=20ms');
  await rig.request('2Gi');
  await eventually(async () => expect(storageOf((await rig.volume()).spec?.capacity)).toBe('2Gi'));
  await eventually(() =>
    expect(rig.cluster.requests.some(({ verb, status }) => verb === 'patch' && status === 404)).toBe(true),
  );
  // The answer is on its way already; these come after it.
  for (let turn = 0; turn < 3; turn++) await rig.volume();
  await rig.stopController();
  expect(rig.errors()).toEqual([]);
  expect(rig.expandedTo()).toHaveLength(1);
});

it('refuses access modes that CSI cannot express, and says which', async () => {
  const rig = await setUp({}, { accessModes: ['ReadOnlyMany', 'ReadWriteOnce'] });
  await rig.start();
  await rig.request('2Gi');
  await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeResizeFailed']));
  expect((await rig.events())[0]?.message).toContain('ReadOnlyMany and ReadWriteOnce');
  expect(rig.expandedTo()).toEqual([]);
  await rig.request('3Gi');
  await eventually(async () => expect((await rig.events())[0]?.count).toBe(2));
});

describe('what goes wrong on the way', () => {
  it('a missing secret is named on the claim, and nothing is announced', async () => {
    const secretRef = { name: 'missing', namespace: 'default' };
    const rig = await setUp(
      {},
      { csi: { driver: 'scripted.csi.holdfast', volumeHandle: 'vol-1', controllerExpandSecretRef: secretRef } },
    );
    rig.driver.on('ControllerExpandVolume', grows(undefined, false));
    await rig.start();
    await rig.request('2Gi');
    await eventually(async () => expect(await rig.reasons()).toEqual(['VolumeResizeFailed']));
    expect((await rig.events())[0]?.message).toContain('Secret "default/missing"');
    expect(rig.expandedTo()).toEqual([]);
    expect((await rig.claim()).status?.allocatedResources).toBeUndefined();
    await rig.cluster.client.create(secrets, { metadata: secretRef, data: {} });
    await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('2Gi'));
  });

  it('a secret that the driver repeats in its error is shown to nobody', async () => {
    const secretRef = { name: 'expand', namespace: 'default' };
    const rig = await setUp(
      {},
      { csi: { driver: 'scripted.csi.holdfast', volumeHandle: 'vol-1', controllerExpandSecretRef: secretRef } },
    );
    await rig.cluster.client.create(secrets, {
      metadata: secretRef,
      data: { password: Buffer.from('open-sesame').toString('base64') },
    });
    rig.driver.on('ControllerExpandVolume', async () => {
      throw rpcError('Internal', 'ran tool --password=open-sesame and it failed');
    });
    await rig.start();
    await rig.request('2Gi');
    await eventually(async () => expect(conditionTypes(await rig.claim())).toContain('ControllerResizeError'));
    await eventually(async () => expect(await rig.reasons()).toContain('VolumeResizeFailed'));
    expect(JSON.stringify([await rig.claim(), await rig.events()])).not.toContain('open-sesame');
  });

  it.each(['persistentvolumes', 'persistentvolumeclaims'])(
    'a lost reply to a patch of %s ends in the same state',
    async (resource) => {
      const rig = await setUp();
      rig.driver.on('ControllerExpandVolume', grows(undefined, false));
      await rig.start();
      let dropped = 0;
      rig.cluster.intercept((request) => {
        if (request.verb !== 'patch' || request.resource !== resource || dropped > 0 || rig.expandedTo().length === 0)
          return undefined;
        dropped += 1;
        return { drop: 'after' };
      });
      await rig.request('2Gi');
      await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('2Gi'));
      await eventually(async () => expect(storageOf((await rig.volume()).spec?.capacity)).toBe('2Gi'));
      expect(dropped).toBe(1);
      expect(conditionTypes(await rig.claim())).toEqual([]);
    },
  );

  it('a volume that was written before the claim could be is not written again', async () => {
    const rig = await setUp();
    rig.driver.on('ControllerExpandVolume', grows(undefined, false));
    await rig.start();
    let refused = 0;
    rig.cluster.intercept(({ verb, resource }) => {
      if (verb !== 'patch' || resource !== 'persistentvolumeclaims' || refused > 0 || rig.expandedTo().length === 0) {
        return undefined;
      }
      refused += 1;
      return { status: 500, body: { kind: 'Status', code: 500, reason: 'InternalError', message: 'etcd is away' } };
    });
    await rig.request('2Gi');
    await eventually(async () => expect(storageOf((await rig.claim()).status?.capacity)).toBe('2Gi'));
    expect(refused).toBe(1);
    expect(rig.writes().filter((write) => write === 'patch persistentvolumes')).toHaveLength(1);
  });
});
