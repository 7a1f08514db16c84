import { CreateVolumeRequest, type Volume } from '@holdfast/csi-spec';
import { secrets } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { createTestFence } from '@holdfast/sandbox/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { annotations, VOLUME_FINALIZER } from './names.ts';
import { type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
  await rig.createClass();
});
afterEach(() => rig.stop());

const default_ = { namespace: 'default' };

async function eventually(check: () => Promise<void> | void): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000, interval: 10 });
}

/** Waits until the claim is told, and gives what it is told. */
async function toldTo(name: string, text: string | RegExp): Promise<string[]> {
  let told: string[] = [];
  await eventually(async () => {
    told = await rig.eventsOf(name);
    expect(told.join('\n')).toMatch(text);
  });
  return told;
}

describe('a claim', () => {
  it('becomes one call, one volume and one event', async () => {
    await rig.start();
    const claim = await rig.createClaim('data');
    const name = `pvc-${claim.metadata.uid}`;
    expect(await toldTo('data', 'Succeeded')).toEqual([
      `Normal ProvisioningSucceeded Successfully provisioned volume ${name}`,
    ]);

    const volume = await rig.volume(name);
    expect(volume?.spec).toMatchObject({
      claimRef: { uid: claim.metadata.uid, name: 'data', ...default_ },
      csi: { driver: rig.driver.name, volumeHandle: `vol-${name}` },
      capacity: { storage: '1Gi' },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: 'fast',
    });
    expect(volume?.metadata.finalizers).toContain(VOLUME_FINALIZER);
    expect(rig.driver.callsOf('CreateVolume')).toHaveLength(1);
    expect(rig.writes()).toEqual(['create persistentvolumes', 'create events']);
  });

  it('gets its volume born with csi-attacher’s finalizer when the CSIDriver wants attaching', async () => {
    await rig.cluster.apply({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: rig.driver.name },
      spec: { attachRequired: true },
    });
    await rig.start();
    const claim = await rig.createClaim('data');
    await eventually(async () => {
      const volume = await rig.volume(`pvc-${claim.metadata.uid}`);
      expect(volume?.metadata.finalizers).toContain('external-attacher/scripted-csi-holdfast');
    });
  });

  it('waits in the background and repeats the very same request, whatever becomes of its class', async () => {
    let tries = 0;
    const gate = Promise.withResolvers<void>();
    const removeHandler = rig.driver.on('CreateVolume', async () => {
      tries += 1;
      if (tries === 3) gate.resolve();
      throw rpcError('DeadlineExceeded', 'still at it');
    });
    await rig.createClass({ parameters: { tier: 'gold' } });
    await rig.start();
    await rig.createClaim('data');
    await gate.promise;
    // Gone, and made anew under its name.
    await rig.createClass({ parameters: { tier: 'silver' }, reclaimPolicy: 'Retain' });
    const before = rig.driver.callsOf('CreateVolume').length;
    await eventually(() => expect(rig.driver.callsOf('CreateVolume').length).toBeGreaterThan(before + 1));
    removeHandler();
    await toldTo('data', 'Succeeded');
    const requests = rig.driver.callsOf('CreateVolume').map(({ request }) => request);
    expect(requests.length).toBeGreaterThan(3);
    for (const request of requests) expect(request).toEqual(requests[0]);
    expect(requests[0]).toMatchObject({ parameters: { tier: 'gold' } });
    expect((await rig.volumes())[0]?.spec?.persistentVolumeReclaimPolicy).toBe('Delete');
  });

  it('is told of a final error, and tried afresh', async () => {
    const removeHandler = rig.driver.on('CreateVolume', async () => {
      throw rpcError('OutOfRange', 'no disk is that large');
    });
    await rig.start();
    await rig.createClaim('data');
    const told = await toldTo('data', 'no disk');
    expect(told[0]).toBe(
      'Warning ProvisioningFailed failed to provision volume with StorageClass "fast": rpc error: code = OutOfRange desc = no disk is that large',
    );
    removeHandler();
    await toldTo('data', 'Succeeded');
  });

  it('rests after InvalidArgument until its class is another', async () => {
    const removeHandler = rig.driver.on('CreateVolume', async () => {
      throw rpcError('InvalidArgument', 'no such tier');
    });
    await rig.start();
    await rig.createClaim('data');
    await toldTo('data', 'no such tier; the next try is in 300 s');
    removeHandler();
    await rig.deleteClass();
    await rig.createClass();
    await toldTo('data', 'Succeeded');
    expect(rig.driver.callsOf('CreateVolume')).toHaveLength(2);
  });

  it('that is deleted during CreateVolume still gets its volume stored', async () => {
    const called = Promise.withResolvers<void>();
    const mayFail = Promise.withResolvers<void>();
    let isFirst = true;
    const removeHandler = rig.driver.on('CreateVolume', async () => {
      called.resolve();
      if (isFirst) await mayFail.promise;
      isFirst = false;
      throw rpcError('Unavailable', 'gone');
    });
    await rig.start();
    const claim = await rig.createClaim('data');
    await called.promise;
    await rig.deleteClaim('data');
    mayFail.resolve();
    removeHandler();
    await eventually(async () => {
      expect((await rig.volume(`pvc-${claim.metadata.uid}`))?.spec?.claimRef?.uid).toBe(claim.metadata.uid);
    });
    expect([...rig.driver.volumes.keys()]).toEqual([`vol-pvc-${claim.metadata.uid}`]);
  });

  it('that is deleted after a final error is forgotten', async () => {
    rig.driver.on('CreateVolume', async () => {
      throw rpcError('Internal', 'broken');
    });
    await rig.start();
    await rig.createClaim('data');
    await toldTo('data', 'broken');
    await rig.deleteClaim('data');
    // Backed off no longer than the first claim, the second is tried six times: time for several tries of a claim that is not forgotten.
    const probe = await rig.createClaim('probe');
    const names = () => rig.driver.callsOf('CreateVolume').map(({ request }) => nameOf(request));
    const ofProbe = `pvc-${probe.metadata.uid}`;
    await eventually(() => expect(names().filter((name) => name === ofProbe).length).toBeGreaterThanOrEqual(6));
    const third = names().indexOf(ofProbe, names().indexOf(ofProbe, names().indexOf(ofProbe) + 1) + 1);
    expect(new Set(names().slice(third))).toEqual(new Set([ofProbe]));
    expect(await rig.volumes()).toEqual([]);
  });

  it('costs one event about progress only when the driver is slow', async () => {
    const gate = Promise.withResolvers<void>();
    rig.driver.on('CreateVolume', async () => {
      await gate.promise;
      throw rpcError('Internal', 'too slow');
    });
    await rig.start();
    await rig.createClaim('data');
    const told = await toldTo('data', 'Provisioning External');
    expect(told).toEqual(['Normal Provisioning External provisioner is provisioning volume for claim "default/data"']);
    gate.resolve();
  });

  it('is provisioned by the successor when the provisioner ends during CreateVolume', async () => {
    const called = Promise.withResolvers<void>();
    const removeHandler = rig.driver.on('CreateVolume', async (_, { signal }) => {
      called.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw rpcError('Canceled', 'the caller went away');
    });
    await rig.start();
    const claim = await rig.createClaim('data');
    await called.promise;
    await rig.stopController();
    expect(await rig.volumes()).toEqual([]);
    expect(await rig.eventsOf('data')).toEqual([]);

    removeHandler();
    await rig.start();
    await toldTo('data', 'Succeeded');
    expect(await rig.volume(`pvc-${claim.metadata.uid}`)).toBeDefined();
    const [first, second, ...more] = rig.driver.callsOf('CreateVolume').map(({ request }) => request);
    expect(second).toEqual(first);
    expect(more).toEqual([]);
  });

  it('gets the object of a volume that is made already, even from a provisioner that is told to stop', async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    // Asked for between CreateVolume's reply and the write of the object.
    rig.cluster.intercept(async ({ verb, resource }) => {
      if (verb !== 'get' || resource !== 'csidrivers') return undefined;
      asked.resolve();
      await answer.promise;
      return undefined;
    });
    await rig.start();
    const claim = await rig.createClaim('data');
    await asked.promise;
    const stopped = rig.stopController();
    answer.resolve();
    await stopped;
    expect(await rig.volume(`pvc-${claim.metadata.uid}`)).toBeDefined();
    expect(rig.driver.callsOf('CreateVolume')).toHaveLength(1);
  });

  it('gets a second volume only when the API server confirms that it has none', async () => {
    await rig.start();
    const claim = await rig.createClaim('data');
    const name = `pvc-${claim.metadata.uid}`;
    await toldTo('data', 'Succeeded');
    let isBoundElsewhere = true;
    let looks = 0;
    rig.cluster.intercept(({ verb, resource, userAgent }) => {
      if (verb !== 'get' || resource !== 'persistentvolumeclaims' || !userAgent.startsWith('csi-provisioner'))
        return undefined;
      looks += 1;
      const bound = { ...claim, spec: { ...claim.spec, volumeName: name } };
      return isBoundElsewhere ? { status: 200, body: bound } : undefined;
    });
    await rig.deleteVolume(name);
    await eventually(() => expect(looks).toBe(1));
    await rig.createClaim('next');
    await toldTo('next', 'Succeeded');
    expect(rig.driver.callsOf('CreateVolume')).toHaveLength(2);

    isBoundElsewhere = false;
    const next = `pvc-${(await rig.claim('next'))?.metadata.uid}`;
    await rig.deleteVolume(next);
    await eventually(() => expect(rig.driver.callsOf('CreateVolume')).toHaveLength(3));
    expect(looks).toBe(2);
    await eventually(async () => expect(await rig.volume(next)).toBeDefined());
  });

  it('is left alone once it has a volume, by the successor too', async () => {
    await rig.start();
    await rig.createClaim('data');
    await toldTo('data', 'Succeeded');
    await rig.stopController();
    rig.driver.calls.length = 0;
    await rig.start();
    await rig.createClaim('next');
    await toldTo('next', 'Succeeded');
    expect(rig.driver.callsOf('CreateVolume')).toHaveLength(1);
  });
});

function nameOf(request: unknown): unknown {
  return typeof request === 'object' && request !== null && 'name' in request ? request.name : undefined;
}

describe('storing the volume', () => {
  it('is tried until the API server takes it, without a second CreateVolume', async () => {
    let refusals = 0;
    rig.cluster.intercept(({ verb, resource }) => {
      if (verb !== 'create' || resource !== 'persistentvolumes' || refusals === 3) return undefined;
      refusals += 1;
      return { status: 500, body: { kind: 'Status', code: 500, reason: 'InternalError', message: 'etcd is away' } };
    });
    await rig.start();
    await rig.createClaim('data');
    const told = await toldTo('data', 'Succeeded');
    expect(told[0]).toMatch(/is created, but its PersistentVolume pvc-.* cannot be stored yet: .*etcd is away/);
    expect(refusals).toBe(3);
    expect(rig.driver.callsOf('CreateVolume')).toHaveLength(1);
  });

  it('has succeeded when only its reply was lost', async () => {
    let isLost = false;
    rig.cluster.intercept(({ verb, resource }) => {
      if (verb !== 'create' || resource !== 'persistentvolumes' || isLost) return undefined;
      isLost = true;
      return { drop: 'after' };
    });
    await rig.start();
    await rig.createClaim('data');
    await toldTo('data', 'Succeeded');
    expect(isLost).toBe(true);
    expect(await rig.volumes()).toHaveLength(1);
    expect(rig.driver.callsOf('CreateVolume')).toHaveLength(1);
    expect(rig.driver.volumes.size).toBe(1);
  });

  it('never overwrites another’s volume: the new one is deleted, and the claim is told', async () => {
    const called = Promise.withResolvers<string>();
    const go = Promise.withResolvers<void>();
    rig.cluster.intercept(async ({ verb, resource, body, userAgent }) => {
      if (verb !== 'create' || resource !== 'persistentvolumes' || userAgent.startsWith('test')) return undefined;
      called.resolve(JSON.stringify(body));
      await go.promise;
      return undefined;
    });
    await rig.start();
    const claim = await rig.createClaim('data');
    await called.promise;
    const name = `pvc-${claim.metadata.uid}`;
    await rig.cluster.apply({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        csi: { driver: 'other', volumeHandle: 'theirs' },
      },
    });
    go.resolve();
    const told = await toldTo('data', 'exists already');
    expect(told.join('\n')).toContain(`volume vol-${name} was deleted again`);
    expect(rig.driver.volumes.size).toBe(0);
    expect((await rig.volume(name))?.spec?.csi?.volumeHandle).toBe('theirs');
  });

  it('keeps a volume that another claim has by now, and tells', async () => {
    const called = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    rig.cluster.intercept(async ({ verb, resource, userAgent }) => {
      if (verb !== 'create' || resource !== 'persistentvolumes' || userAgent.startsWith('test')) return undefined;
      called.resolve();
      await go.promise;
      return undefined;
    });
    await rig.start();
    const claim = await rig.createClaim('data');
    await called.promise;
    const name = `pvc-${claim.metadata.uid}`;
    await rig.cluster.apply({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        claimRef: { name: 'theirs', namespace: 'default', uid: 'their-uid' },
        csi: { driver: rig.driver.name, volumeHandle: `vol-${name}` },
      },
    });
    go.resolve();
    await toldTo('data', /exists already for volume vol-.* and is not this claim's: delete it, or the claim/);
    expect(rig.driver.callsOf('DeleteVolume')).toEqual([]);
    expect(rig.driver.volumes.size).toBe(1);
    expect((await rig.volume(name))?.spec?.claimRef?.uid).toBe('their-uid');
  });
});

describe('a bad claim is told what is wrong, and nothing is made for it', () => {
  it.each<[string, object, RegExp]>([
    [
      'a fraction of a byte',
      { resources: { requests: { storage: '1.5' } } },
      /storage is "1500m", 1\.5 bytes: .*for example 1\.5Gi/,
    ],
    ['beyond int64', { resources: { requests: { storage: '9Ei' } } }, /storage is "9Ei"/],
    ['a selector', { selector: { matchLabels: { a: 'b' } } }, /spec\.selector .*remove it/],
    ['no such class', { storageClassName: 'slow' }, /StorageClass slow does not exist: create it/],
    [
      'a snapshot',
      { dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' } },
      /VolumeSnapshot s .*lacks CREATE_DELETE_SNAPSHOT/,
    ],
  ])('%s', async (_, spec, message) => {
    await rig.start();
    await rig.createClaim('data', { spec });
    const told = await toldTo('data', message);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^Warning ProvisioningFailed/);
    expect(rig.driver.callsOf('CreateVolume')).toEqual([]);
    expect(rig.writes()).toEqual(['create events']);
  });

  it('an unknown reserved parameter, mended by a new class', async () => {
    await rig.createClass({ parameters: { 'csi.storage.k8s.io/fsType': 'xfs' } });
    await rig.start();
    await rig.createClaim('data');
    await toldTo('data', /class parameter csi\.storage\.k8s\.io\/fsType is unknown/);
    await rig.deleteClass();
    await rig.createClass();
    await toldTo('data', 'Succeeded');
  });

  it('not a class that only the cache has not heard of yet', async () => {
    rig.cluster.intercept(async ({ verb, resource, query, userAgent }) => {
      if (resource !== 'storageclasses' || !userAgent.startsWith('csi-provisioner')) return undefined;
      if (verb === 'list') return { status: 200, body: { metadata: { resourceVersion: '1' }, items: [] } };
      if (verb !== 'watch') return undefined;
      if (!query.includes('sendInitialEvents')) await new Promise(() => {});
      return { status: 422, body: { kind: 'Status', code: 422, reason: 'Invalid', message: 'no streaming lists' } };
    });
    await rig.start();
    await rig.createClaim('data');
    expect((await toldTo('data', 'Provisioning')).join()).toMatch(/^Normal ProvisioningSucceeded/);
  });

  it('a missing class, created later', async () => {
    await rig.start();
    await rig.createClaim('data', { spec: { storageClassName: 'late' } });
    await toldTo('data', 'late does not exist');
    await rig.createClass({ metadata: { name: 'late' } });
    await toldTo('data', 'Succeeded');
  });
});

describe('a bad reply is undone and told', () => {
  const capacityBytes = 1024n ** 3n;
  const good: Volume = {
    volumeId: 'v1',
    capacityBytes,
    volumeContext: {},
    contentSource: undefined,
    accessibleTopology: [],
  };

  it.each<[string, Partial<Volume>, RegExp]>([
    [
      'less than asked',
      { capacityBytes: 5n },
      /a volume of 5 bytes where the claim asks for 1073741824.*volume v1 was deleted again/,
    ],
    ['a negative size', { capacityBytes: -1n }, /capacityBytes is negative.*volume v1 was deleted again/],
    [
      'a place that is no label',
      { accessibleTopology: [{ segments: { 'a/b/c': 'x' } }] },
      /accessibleTopology.*volume v1 was deleted again/,
    ],
  ])('%s', async (_, change, message) => {
    const removeHandler = rig.driver.on('CreateVolume', async () => ({ volume: { ...good, ...change } }));
    await rig.start();
    await rig.createClaim('data');
    await toldTo('data', message);
    expect(rig.driver.callsOf('DeleteVolume')[0]?.request).toMatchObject({ volumeId: 'v1' });
    expect(await rig.volumes()).toEqual([]);
    removeHandler();
    await toldTo('data', 'Succeeded');
  });

  it.each<[string, { volume: Volume | undefined }, RegExp]>([
    ['no volume', { volume: undefined }, /answered CreateVolume without a volume: correct the driver/],
    ['an empty id', { volume: { ...good, volumeId: '' } }, /volumeId is empty\): correct the driver/],
  ])('%s', async (_, reply, message) => {
    const removeHandler = rig.driver.on('CreateVolume', async () => reply);
    await rig.start();
    await rig.createClaim('data');
    await toldTo('data', message);
    expect(await rig.volumes()).toEqual([]);
    removeHandler();
    await toldTo('data', 'Succeeded');
    expect(rig.driver.callsOf('DeleteVolume')).toEqual([]);
  });

  it('also when the volume cannot be deleted at once and the claim is gone by then', async () => {
    const stopShort = rig.driver.on('CreateVolume', async () => ({ volume: { ...good, capacityBytes: 5n } }));
    const stopRefusing = rig.driver.on('DeleteVolume', async () => {
      throw rpcError('Unavailable', 'busy');
    });
    await rig.start();
    await rig.createClaim('data');
    await toldTo('data', /deleting volume v1 failed as well.*busy/);
    await rig.deleteClaim('data');
    stopShort();
    const refused = rig.driver.callsOf('DeleteVolume').length;
    stopRefusing();
    await eventually(() => expect(rig.driver.callsOf('DeleteVolume').length).toBeGreaterThan(refused));
    expect(rig.driver.callsOf('CreateVolume')).toHaveLength(1);
    expect(rig.driver.volumes.size).toBe(0);
  });
});

describe('secrets', () => {
  const parameters = {
    'csi.storage.k8s.io/provisioner-secret-name': `\${pvc.annotations['team']}`,
    'csi.storage.k8s.io/provisioner-secret-namespace': `\${pvc.namespace}`,
  };
  const applySecret = (data: Record<string, string>) =>
    rig.cluster.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'blue', ...default_ }, data });
  const encode = (bytes: string | Uint8Array) => Buffer.from(bytes).toString('base64');

  it('go to the driver, and nowhere else', async () => {
    await rig.createClass({ parameters });
    await applySecret({ token: encode('pässword-1') });
    await rig.start();
    const claim = await rig.createClaim('data', { annotations: { team: 'blue' } });
    await toldTo('data', 'Succeeded');
    expect(rig.driver.callsOf('CreateVolume')[0]?.request).toMatchObject({
      secrets: { token: 'pässword-1' },
      parameters: {},
    });
    const volume = await rig.volume(`pvc-${claim.metadata.uid}`);
    expect(volume?.metadata.annotations).toMatchObject({
      [annotations.deletionSecretName]: 'blue',
      [annotations.deletionSecretNamespace]: 'default',
    });
    const written = rig.cluster.requests
      .filter(({ userAgent }) => userAgent.startsWith('csi-provisioner'))
      .map(({ body }) => body);
    expect(JSON.stringify(written)).not.toContain('pässword-1');
  });

  it('that the driver repeats in an error are struck out', async () => {
    rig.driver.on('CreateVolume', async () => {
      throw rpcError('Unauthenticated', 'login with pässword-1 failed');
    });
    await rig.createClass({ parameters });
    await applySecret({ token: encode('pässword-1') });
    await rig.start();
    await rig.createClaim('data', { annotations: { team: 'blue' } });
    const told = await toldTo('data', /login with .* failed/);
    expect(told.join()).not.toContain('pässword-1');
  });

  it('that are missing are told by name, and used once they are there', async () => {
    await rig.createClass({ parameters });
    await rig.start();
    await rig.createClaim('data', { annotations: { team: 'blue' } });
    await toldTo('data', 'Secret "default/blue", which StorageClass "fast" names, does not exist: create it');
    expect(rig.driver.callsOf('CreateVolume')).toEqual([]);
    await applySecret({ token: encode('x') });
    await toldTo('data', 'Succeeded');
  });

  it('that change while the driver is at it are read anew for each try; all else stays the same', async () => {
    const tried = Promise.withResolvers<void>();
    const removeHandler = rig.driver.on('CreateVolume', async ({ secrets }) => {
      tried.resolve();
      throw rpcError('Unavailable', `who is ${secrets['token']}?`);
    });
    await rig.createClass({ parameters });
    await applySecret({ token: encode('pässword-1') });
    await rig.start();
    await rig.createClaim('data', { annotations: { team: 'blue' } });
    await tried.promise;
    const body = { data: { token: encode('pässword-2') } };
    await rig.cluster.client.patch(secrets, { name: 'blue', ...default_ }, { kind: 'merge', body });
    const rotated = () =>
      rig.driver
        .callsOf('CreateVolume')
        .map(({ request }) => CreateVolumeRequest.fromPartial(request instanceof Object ? request : {}))
        .filter((request) => request.secrets['token'] === 'pässword-2');
    await eventually(() => expect(rotated().length).toBeGreaterThan(0));
    removeHandler();
    const told = await toldTo('data', 'Succeeded');
    const requests = rig.driver.callsOf('CreateVolume').map(({ request }) => ({ ...Object(request), secrets: {} }));
    for (const request of requests) expect(request).toEqual(requests[0]);
    expect(JSON.stringify([told, rig.log.lines])).not.toContain('pässword');
  });

  it('that are no text are refused without a call', async () => {
    await rig.createClass({ parameters });
    await applySecret({ token: encode(new Uint8Array([0xff, 0xfe])) });
    await rig.start();
    await rig.createClaim('data', { annotations: { team: 'blue' } });
    await toldTo('data', /value of key "token" is not UTF-8/);
    expect(rig.driver.callsOf('CreateVolume')).toEqual([]);
  });
});

describe('without the lease', () => {
  it('nothing is called, and nothing is written', async () => {
    const fence = createTestFence(false);
    await rig.startFenced(fence);
    await rig.createClaim('data');
    await eventually(() => expect(fence.counts.checks).toBeGreaterThanOrEqual(3));
    expect(rig.driver.callsOf('CreateVolume')).toEqual([]);
    expect(rig.writes()).toEqual([]);
    fence.isHeld = true;
    await toldTo('data', 'Succeeded');
  });

  it('a volume that is made already is not stored, and nobody is told', async () => {
    const fence = createTestFence(true);
    const back = rig.cluster.intercept(({ verb, resource }) => {
      if (verb === 'get' && resource === 'csidrivers') fence.isHeld = false;
      return undefined;
    });
    await rig.startFenced(fence);
    await rig.createClaim('data');
    await eventually(() => expect(fence.isHeld).toBe(false));
    const { checks } = fence.counts;
    await eventually(() => expect(fence.counts.checks).toBeGreaterThanOrEqual(checks + 3));
    expect(rig.driver.volumes.size).toBe(1);
    expect(rig.writes()).toEqual([]);
    back();
    fence.isHeld = true;
    await toldTo('data', 'Succeeded');
    expect(rig.driver.callsOf('CreateVolume')).toHaveLength(1);
  });
});
