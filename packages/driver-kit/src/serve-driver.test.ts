import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@holdfast/core';
import {
  ControllerService,
  CreateVolumeRequest,
  controllerCapabilities,
  type DeepPartial,
  IdentityService,
  VolumeCapability_AccessMode_Mode as Mode,
  NodePublishVolumeRequest,
  NodeService,
  nodeCapabilities,
  pluginCapabilities,
  VolumeCapability,
} from '@holdfast/csi-spec';
import { type Connection, dialUnix, type UnixServer } from '@holdfast/rpc';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from './backend.ts';
import { serveDriver } from './serve-driver.ts';
import { createMemoryBackend, type MemoryBackend } from './testing/memory-backend.ts';

const options = { timeoutMs: 10_000 };
const capability = (mode: Mode = Mode.SINGLE_NODE_WRITER, fsType = ''): VolumeCapability =>
  VolumeCapability.fromPartial({ accessType: { $case: 'mount', value: { fsType } }, accessMode: { mode } });

const flagged = (flag: string): VolumeCapability =>
  VolumeCapability.fromPartial({
    accessType: { $case: 'mount', value: { mountFlags: [flag] } },
    accessMode: { mode: Mode.SINGLE_NODE_WRITER },
  });

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is missing');
  return value;
}

let dir: string;
let backend: MemoryBackend;
let server: UnixServer;
let connection: Connection;

async function serve(served: Backend, role: 'controller' | 'node' | 'all' = 'all'): Promise<void> {
  const address = join(dir, 'csi.sock');
  const deps = {
    backend: served,
    name: 'memory.csi.example',
    version: '1.0',
    role,
    nodeId: 'a',
    address,
    log: silentLogger,
  };
  server = await serveDriver(deps);
  connection = await dialUnix({ address, log: silentLogger });
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hf-kit-'));
  backend = createMemoryBackend();
  await serve(backend);
});
afterEach(async () => {
  connection.close();
  await server.stop();
  await rm(dir, { recursive: true });
});

const controller = () => connection.client(ControllerService);
const node = () => connection.client(NodeService);
const create = (request: DeepPartial<CreateVolumeRequest> = {}) =>
  controller().createVolume(
    CreateVolumeRequest.fromPartial({ name: 'one', volumeCapabilities: [capability()], ...request }),
    options,
  );
const publish = (request: DeepPartial<NodePublishVolumeRequest> = {}) =>
  node().nodePublishVolume(
    NodePublishVolumeRequest.fromPartial({
      volumeId: 'one',
      targetPath: '/t',
      volumeCapability: capability(),
      ...request,
    }),
    options,
  );
const attach = (volumeId: string, nodeId: string, readonly = false) =>
  controller().controllerPublishVolume(
    { volumeId, nodeId, readonly, volumeCapability: capability(), secrets: {}, volumeContext: {} },
    options,
  );
const remove = (volumeId: string) => controller().deleteVolume({ volumeId, secrets: {} }, options);

describe('what is advertised', () => {
  test('follows from what the backend implements', async () => {
    expect([...controllerCapabilities(await controller().controllerGetCapabilities({}, options))].sort()).toEqual([
      'CLONE_VOLUME',
      'CREATE_DELETE_SNAPSHOT',
      'CREATE_DELETE_VOLUME',
      'EXPAND_VOLUME',
      'GET_CAPACITY',
      'GET_SNAPSHOT',
      'GET_VOLUME',
      'GET_VOLUME_HEALTH',
      'LIST_SNAPSHOTS',
      'LIST_VOLUMES',
      'LIST_VOLUMES_PUBLISHED_NODES',
      'LIST_VOLUME_HEALTH',
      'MODIFY_VOLUME',
      'PUBLISH_READONLY',
      'PUBLISH_UNPUBLISH_VOLUME',
      'SINGLE_NODE_MULTI_WRITER',
    ]);
    expect([...nodeCapabilities(await node().nodeGetCapabilities({}, options))].sort()).toEqual([
      'EXPAND_VOLUME',
      'GET_STORAGE_HEALTH',
      'GET_VOLUME_HEALTH',
      'GET_VOLUME_STATS',
      'SINGLE_NODE_MULTI_WRITER',
    ]);
  });

  test('a backend of the essentials offers just those, and the rest is unimplemented', async () => {
    connection.close();
    await server.stop();
    const { parameters, findVolume, publications, publishVolume, unpublishVolume } = backend;
    await serve({
      parameters,
      findVolume,
      publications,
      publishVolume,
      unpublishVolume,
      accessModes: ['SINGLE_NODE_WRITER'],
      accessKinds: ['mount'],
      hasMountFlags: false,
    });
    expect([...controllerCapabilities(await controller().controllerGetCapabilities({}, options))]).toEqual([
      'GET_VOLUME',
    ]);
    expect([...nodeCapabilities(await node().nodeGetCapabilities({}, options))]).toEqual([]);
    await expect(create()).rejects.toMatchObject({ code: 'Unimplemented' });
    await expect(node().nodeUnstageVolume({ volumeId: 'x', stagingTargetPath: '/s' }, options)).rejects.toMatchObject({
      code: 'Unimplemented',
    });
    const identity = await connection.client(IdentityService).getPluginCapabilities({}, options);
    expect([...pluginCapabilities(identity)]).toEqual(['CONTROLLER_SERVICE']);
  });

  test('a node plug-in has no controller service', async () => {
    connection.close();
    await server.stop();
    await serve(backend, 'node');
    await expect(create()).rejects.toMatchObject({ code: 'Unimplemented' });
    const identity = await connection.client(IdentityService).getPluginCapabilities({}, options);
    expect(pluginCapabilities(identity).has('CONTROLLER_SERVICE')).toBe(false);
    expect(await node().nodeGetInfo({}, options)).toEqual({
      nodeId: 'a',
      maxVolumesPerNode: 2n,
      accessibleTopology: { segments: { 'example/node': 'a' } },
    });
  });

  test.each(['x', '-a', 'ends-in-1', 'a'.repeat(64)])(
    'the name %j is refused before anything is served',
    async (name) => {
      await expect(
        serveDriver({
          backend,
          name,
          version: '1',
          role: 'all',
          nodeId: 'a',
          address: join(dir, 'b.sock'),
          log: silentLogger,
        }),
      ).rejects.toThrow('driver name');
    },
  );
});

describe('CreateVolume', () => {
  test('the same request gives the same volume and makes it once', async () => {
    const asked = { capacityRange: { requiredBytes: 1000n }, parameters: { tier: 'fast' } };
    const first = await create(asked);
    expect(first.volume).toMatchObject({
      volumeId: 'one',
      capacityBytes: 1024n,
      accessibleTopology: [{ segments: { 'example/node': 'a' } }],
    });
    expect(await create(asked)).toEqual(first);
    expect(backend.calls).toEqual(['create one']);
  });

  test('another request under the same name is refused with the difference', async () => {
    await create({ capacityRange: { requiredBytes: 1024n } });
    await expect(create({ capacityRange: { requiredBytes: 2048n } })).rejects.toMatchObject({
      code: 'AlreadyExists',
      message: expect.stringContaining('1024 bytes'),
    });
    await expect(create({ parameters: { tier: 'slow' } })).rejects.toMatchObject({
      code: 'AlreadyExists',
      message: expect.stringContaining('parameters'),
    });
    await expect(
      create({ accessibilityRequirements: { requisite: [{ segments: { 'example/node': 'b' } }] } }),
    ).rejects.toMatchObject({ code: 'AlreadyExists', message: expect.stringContaining('elsewhere') });
  });

  test.each<[string, DeepPartial<CreateVolumeRequest>, string, string]>([
    ['no name', { name: '' }, 'InvalidArgument', 'name is required'],
    ['a name of 129 bytes', { name: 'x'.repeat(129) }, 'InvalidArgument', '129 bytes'],
    ['a control character', { name: 'a\u0007b' }, 'InvalidArgument', 'control characters'],
    ['no capability', { volumeCapabilities: [] }, 'InvalidArgument', 'volume_capabilities is required'],
    [
      'no access type',
      { volumeCapabilities: [{ accessMode: { mode: Mode.SINGLE_NODE_WRITER } }] },
      'InvalidArgument',
      'access_type',
    ],
    ['an unknown mode', { volumeCapabilities: [capability(Mode.UNKNOWN)] }, 'InvalidArgument', 'access_mode'],
    [
      'a mode not offered',
      { volumeCapabilities: [capability(Mode.MULTI_NODE_MULTI_WRITER)] },
      'InvalidArgument',
      'MULTI_NODE_MULTI_WRITER',
    ],
    [
      'a file system not offered',
      { volumeCapabilities: [capability(Mode.SINGLE_NODE_WRITER, 'zfs')] },
      'InvalidArgument',
      'ext4, xfs',
    ],
    [
      'a reserved mount flag',
      {
        volumeCapabilities: [
          { accessMode: { mode: 1 }, accessType: { $case: 'mount', value: { mountFlags: ['noatime,bind'] } } },
        ],
      },
      'InvalidArgument',
      'mount flag',
    ],
    [
      'an unknown parameter',
      { parameters: { color: 'red' } },
      'InvalidArgument',
      'unknown class parameter "color": remove it from the StorageClass, or correct its name; known are: tier',
    ],
    [
      'a wrong parameter',
      { parameters: { tier: 'warm' } },
      'InvalidArgument',
      'class parameter "tier": must be fast or slow',
    ],
    ['parameters over 4 KiB', { parameters: { tier: 'x'.repeat(5000) } }, 'InvalidArgument', 'at most 4096'],
    ['a negative size', { capacityRange: { requiredBytes: -1n } }, 'InvalidArgument', 'negative'],
    [
      'a size above its limit',
      { capacityRange: { requiredBytes: 2048n, limitBytes: 1024n } },
      'InvalidArgument',
      'contradicts',
    ],
    ['too small a size', { capacityRange: { requiredBytes: 1n } }, 'OutOfRange', 'smallest volume here is 512'],
    ['9Ei', { capacityRange: { requiredBytes: 9n << 59n } }, 'OutOfRange', 'largest volume here is 1Mi'],
    [
      'a size between two steps',
      { capacityRange: { requiredBytes: 1000n, limitBytes: 1000n } },
      'OutOfRange',
      'multiple of 512',
    ],
    [
      'a place that is not there',
      { accessibilityRequirements: { requisite: [{ segments: { 'example/node': 'z' } }] } },
      'ResourceExhausted',
      'example/node=z',
    ],
  ])('%s', async (_what, request, code, message) => {
    await expect(create(request)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    expect(backend.volumes.size).toBe(0);
  });

  test('takes the metadata external-provisioner adds, and a topology of several places', async () => {
    const { volume } = await create({
      parameters: { 'csi.storage.k8s.io/pvc/name': 'claim', tier: 'fast' },
      accessibilityRequirements: {
        requisite: [{ segments: { 'example/node': 'a' } }, { segments: { 'example/node': 'b' } }],
        preferred: [{ segments: { 'Example/Node': 'b' } }],
      },
    });
    expect(volume).toMatchObject({
      accessibleTopology: [{ segments: { 'example/node': 'b' } }],
      volumeContext: { tier: 'fast' },
    });
  });

  test('a second call on the name while one runs is turned away as Aborted', async () => {
    let open: () => void = () => undefined;
    backend.gate = new Promise((resolve) => {
      open = resolve;
    });
    const running = create();
    await expect.poll(() => backend.calls).toEqual(['create one']);
    await expect(create()).rejects.toMatchObject({ code: 'Aborted' });
    await expect(remove('one')).rejects.toMatchObject({ code: 'Aborted' });
    open();
    expect((await running).volume?.volumeId).toBe('one');
    await remove('one');
  });
});

describe('ids', () => {
  test.each(['../../etc', 'a\0b', 'x'.repeat(300), '', '.', '/abs', 'a b'])(
    '%j is refused by every call and reaches no backend',
    async (volumeId) => {
      const secrets = {};
      const volumeCapability = capability();
      const calls = [
        () => remove(volumeId),
        () => attach(volumeId, 'a'),
        () => controller().controllerUnpublishVolume({ volumeId, nodeId: 'a', secrets }, options),
        () => controller().controllerGetVolume({ volumeId }, options),
        () =>
          controller().controllerExpandVolume(
            { volumeId, capacityRange: { requiredBytes: 1n, limitBytes: 0n }, secrets, volumeCapability },
            options,
          ),
        () => publish({ volumeId }),
        () => node().nodeUnpublishVolume({ volumeId, targetPath: '/t' }, options),
        () => node().nodeGetVolumeStats({ volumeId, volumePath: '/t', stagingTargetPath: '' }, options),
      ];
      for (const call of calls)
        await expect(call()).rejects.toMatchObject({
          code: 'InvalidArgument',
          message: expect.stringContaining('volume_id'),
        });
      expect(backend.calls).toEqual([]);
    },
  );

  test('an unknown id: gone is success, looked for is NotFound', async () => {
    await remove('unknown');
    await controller().controllerUnpublishVolume({ volumeId: 'unknown', nodeId: '', secrets: {} }, options);
    await node().nodeUnpublishVolume({ volumeId: 'unknown', targetPath: '/t' }, options);
    await expect(publish({ volumeId: 'unknown' })).rejects.toMatchObject({ code: 'NotFound' });
    await expect(attach('unknown', 'nobody')).rejects.toMatchObject({
      code: 'NotFound',
      message: expect.stringContaining('volume unknown'),
    });
    await expect(
      node().nodeGetVolumeStats({ volumeId: 'unknown', volumePath: 'some/path', stagingTargetPath: '' }, options),
    ).rejects.toMatchObject({ code: 'NotFound' });
  });

  test('arguments are checked before the volume is looked for', async () => {
    await expect(attach('unknown', '')).rejects.toMatchObject({
      code: 'InvalidArgument',
      message: expect.stringContaining('node_id'),
    });
    await expect(publish({ volumeId: 'unknown', volumeCapability: undefined })).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
    for (const targetPath of ['', 'relative', '/a/../b', '/', '/a\0b']) {
      await expect(publish({ volumeId: 'unknown', targetPath })).rejects.toMatchObject({
        code: 'InvalidArgument',
        message: expect.stringContaining('target_path'),
      });
    }
  });
});

describe('attach', () => {
  beforeEach(async () => {
    for (const name of ['one', 'two', 'three']) await create({ name });
  });

  test('keeps a single-node volume on one node and names it', async () => {
    expect(await attach('one', 'a')).toEqual({ publishContext: { device: 'x' } });
    expect(await attach('one', 'a')).toEqual({ publishContext: { device: 'x' } });
    await expect(attach('one', 'a', true)).rejects.toMatchObject({ code: 'AlreadyExists' });
    await expect(attach('one', 'b')).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('node a'),
    });
    await expect(attach('two', 'nobody')).rejects.toMatchObject({
      code: 'NotFound',
      message: expect.stringContaining('nobody'),
    });
    await expect(remove('one')).rejects.toMatchObject({ code: 'FailedPrecondition' });
    await controller().controllerUnpublishVolume({ volumeId: 'one', nodeId: '', secrets: {} }, options);
    await remove('one');
  });

  test('holds a node to its limit, also when volumes come at the same moment', async () => {
    const settled = await Promise.allSettled(['one', 'two', 'three'].map((id) => attach(id, 'a')));
    expect(settled.filter((one) => one.status === 'rejected').map((one) => one.reason)).toEqual([
      expect.objectContaining({ code: 'ResourceExhausted', message: expect.stringContaining('limit is 2') }),
    ]);
  });
});

test('ListVolumes pages through all volumes, and a page token is opaque but checked', async () => {
  for (let index = 0; index < 5; index++) await create({ name: `v${index}` });
  const seen: string[] = [];
  let startingToken = '';
  do {
    const page = await controller().listVolumes({ maxEntries: 2, startingToken }, options);
    expect(page.entries.length).toBeLessThanOrEqual(2);
    seen.push(...page.entries.map((entry) => entry.volume?.volumeId ?? ''));
    startingToken = page.nextToken;
  } while (startingToken !== '');
  expect(seen).toEqual(['v0', 'v1', 'v2', 'v3', 'v4']);
  const first = await controller().listVolumes({ maxEntries: 2, startingToken: '' }, options);
  await remove('v1');
  const rest = await controller().listVolumes({ maxEntries: 0, startingToken: first.nextToken }, options);
  expect(rest.entries.map((entry) => entry.volume?.volumeId)).toEqual(['v2', 'v3', 'v4']);
  expect(rest.nextToken).toBe('');
  for (const token of ['garbage', 'v1.', 'v1.!!']) {
    await expect(controller().listVolumes({ maxEntries: 0, startingToken: token }, options)).rejects.toMatchObject({
      code: 'Aborted',
    });
  }
});

test('a volume is expanded to exactly what was asked, never shrunk', async () => {
  await create({ capacityRange: { requiredBytes: 1024n } });
  const expand = (requiredBytes: bigint, limitBytes = 0n) =>
    controller().controllerExpandVolume(
      { volumeId: 'one', capacityRange: { requiredBytes, limitBytes }, secrets: {}, volumeCapability: undefined },
      options,
    );
  expect(await expand(2048n, 2048n)).toEqual({ capacityBytes: 2048n, nodeExpansionRequired: true });
  expect(await expand(512n)).toEqual({ capacityBytes: 2048n, nodeExpansionRequired: true });
  await expect(expand(512n, 1024n)).rejects.toMatchObject({
    code: 'OutOfRange',
    message: expect.stringContaining('do not shrink'),
  });
  await expect(expand(1n << 30n)).rejects.toMatchObject({ code: 'OutOfRange' });
  await expect(expand(0n)).rejects.toMatchObject({ code: 'InvalidArgument' });
});

test('ValidateVolumeCapabilities confirms all or says why not', async () => {
  await create();
  const validate = (mode: Mode) =>
    controller().validateVolumeCapabilities(
      {
        volumeId: 'one',
        volumeContext: {},
        volumeCapabilities: [capability(mode)],
        parameters: {},
        secrets: {},
        mutableParameters: {},
      },
      options,
    );
  expect((await validate(Mode.SINGLE_NODE_WRITER)).confirmed?.volumeCapabilities).toEqual([capability()]);
  expect(await validate(Mode.MULTI_NODE_MULTI_WRITER)).toMatchObject({
    confirmed: undefined,
    message: expect.stringContaining('MULTI_NODE_MULTI_WRITER'),
  });
});

test('ValidateVolumeCapabilities does not confirm a file system that the volume was not made for', async () => {
  await create();
  backend.volumes.set('one', { ...required(backend.volumes.get('one')), fsType: 'xfs' });
  const validate = (fsType: string) =>
    controller().validateVolumeCapabilities(
      {
        volumeId: 'one',
        volumeContext: {},
        volumeCapabilities: [capability(Mode.SINGLE_NODE_WRITER, fsType)],
        parameters: {},
        secrets: {},
        mutableParameters: {},
      },
      options,
    );
  expect((await validate('xfs')).confirmed).toBeDefined();
  expect(await validate('ext4')).toMatchObject({ confirmed: undefined, message: expect.stringContaining('xfs') });
});

test('GetCapacity promises no volume larger than what is left', async () => {
  const ask = (segments: Record<string, string>) =>
    controller().getCapacity({ volumeCapabilities: [], parameters: {}, accessibleTopology: { segments } }, options);
  expect(await ask({ 'example/node': 'a' })).toEqual({
    availableCapacity: 4096n,
    maximumVolumeSize: 4096n,
    minimumVolumeSize: 512n,
  });
  expect(await ask({ 'example/node': 'far' })).toMatchObject({ availableCapacity: 0n, maximumVolumeSize: 0n });
});

describe('NodePublishVolume', () => {
  beforeEach(async () => {
    await create();
  });

  test('follows the truth table, letting pods of one node share a volume', async () => {
    await publish();
    await publish();
    await publish({ targetPath: '/t2' });
    expect(backend.calls.filter((call) => call.startsWith('publish'))).toEqual(['publish /t', 'publish /t2']);
    await expect(publish({ readonly: true })).rejects.toMatchObject({ code: 'AlreadyExists' });
    await expect(
      publish({ targetPath: '/t3', volumeCapability: capability(Mode.SINGLE_NODE_SINGLE_WRITER) }),
    ).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('/t'),
    });
  });

  test('a reader-only capability is published read-only', async () => {
    await publish({ volumeCapability: capability(Mode.SINGLE_NODE_READER_ONLY) });
    expect(backend.published.get('/t')).toMatchObject({ isReadOnly: true });
  });

  test.each<[string, DeepPartial<NodePublishVolumeRequest>]>([
    ['attached read-only', {}],
    ['mounted with the flag ro', { volumeCapability: flagged('noatime,ro') }],
  ])('what is %s is published read-only, each time', async (what, request) => {
    if (what.startsWith('attached')) await attach('one', 'a', true);
    await publish(request);
    await publish(request);
    expect(backend.published.get('/t')).toMatchObject({ isReadOnly: true });
  });

  test('an error of the backend keeps its code, another becomes Internal with its message', async () => {
    await expect(publish({ targetPath: '/refuse' })).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: 'not staged',
    });
    await expect(publish({ targetPath: '/explode' })).rejects.toMatchObject({
      code: 'Internal',
      message: expect.stringContaining('disk on fire'),
    });
    await publish();
  });

  test('figures and growth are those of the path asked for', async () => {
    await publish();
    const stats = await node().nodeGetVolumeStats(
      { volumeId: 'one', volumePath: '/t', stagingTargetPath: '' },
      options,
    );
    expect(stats.usage).toEqual([
      { unit: 1, total: 10n, used: 4n, available: 6n },
      { unit: 2, total: 3n, used: 1n, available: 2n },
    ]);
    const grow = (volumePath: string, requiredBytes = 0n) =>
      node().nodeExpandVolume(
        {
          volumeId: 'one',
          volumePath,
          capacityRange: { requiredBytes, limitBytes: 0n },
          stagingTargetPath: '',
          volumeCapability: undefined,
          secrets: {},
        },
        options,
      );
    expect(await grow('/t')).toEqual({ capacityBytes: 1024n });
    await expect(grow('/elsewhere')).rejects.toMatchObject({ code: 'NotFound' });
    await expect(grow('')).rejects.toMatchObject({ code: 'InvalidArgument' });
    await expect(grow('/t', 4096n)).rejects.toMatchObject({
      code: 'OutOfRange',
      message: expect.stringContaining('ControllerExpandVolume'),
    });
  });
});
