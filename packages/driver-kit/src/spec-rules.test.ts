import { createRecordingLogger } from '@holdfast/core/testing';
import {
  ControllerExpandVolumeRequest,
  ControllerPublishVolumeRequest,
  CreateSnapshotRequest,
  type DeepPartial,
  VolumeCapability_AccessMode_Mode as Mode,
  NodeExpandVolumeRequest,
  NodePublishVolumeRequest,
  NodeStageVolumeRequest,
  VolumeCapability,
} from '@holdfast/csi-spec';
import { rpcError } from '@holdfast/rpc';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from './backend.ts';
import { decidePublish } from './decide.ts';
import { createMemoryBackend, type MemoryBackend } from './testing/memory-backend.ts';
import { mountCapability, options, type ServedKit, serveKit } from './testing/served-memory.ts';

// Rules of the CSI specification that no other test of this package holds, by its sections.

let backend: MemoryBackend;
let kit: ServedKit;
beforeEach(async () => {
  backend = createMemoryBackend();
  kit = await serveKit(backend);
});
afterEach(() => kit.stop());

async function serveAnew(served: Backend, log = createRecordingLogger()): Promise<typeof log> {
  await kit.stop();
  kit = await serveKit(served, log);
  return log;
}

const bigintAsText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

/** The memory backend, with stages too. */
function staging(): Backend & { readonly staged: string[] } {
  const staged: string[] = [];
  const stageVolume: Backend['stageVolume'] = async ({ stagingPath }) => void staged.push(stagingPath);
  return { ...backend, staged, stageVolume, unstageVolume: async () => undefined };
}

const publish = (more: DeepPartial<NodePublishVolumeRequest> = {}) =>
  kit.node.nodePublishVolume(
    NodePublishVolumeRequest.fromPartial({
      volumeId: 'one',
      targetPath: '/t',
      volumeCapability: mountCapability,
      ...more,
    }),
    options,
  );
const stage = (more: DeepPartial<NodeStageVolumeRequest> = {}) =>
  kit.node.nodeStageVolume(
    NodeStageVolumeRequest.fromPartial({
      volumeId: 'one',
      stagingTargetPath: '/s',
      volumeCapability: mountCapability,
      ...more,
    }),
    options,
  );
const attach = (more: DeepPartial<ControllerPublishVolumeRequest> = {}) =>
  kit.controller.controllerPublishVolume(
    ControllerPublishVolumeRequest.fromPartial({
      volumeId: 'one',
      nodeId: 'a',
      volumeCapability: mountCapability,
      ...more,
    }),
    options,
  );

describe('"Size Limits"', () => {
  test.each([
    ['a name of 128 bytes', () => kit.create('n'.repeat(128)), true],
    ['a name of 129 bytes', () => kit.create('n'.repeat(129)), false],
    ['a name of 65 letters of two bytes', () => kit.create('ü'.repeat(65)), false],
    ['parameters of 4 KiB', () => kit.create('one', { parameters: { x: 'y'.repeat(4095) } }), false],
    ['parameters of more', () => kit.create('one', { parameters: { x: 'y'.repeat(4096) } }), false],
    ['a node id of 257 bytes', () => attach({ nodeId: 'n'.repeat(257) }), false],
  ])('%s', async (what, call, isTaken) => {
    if (isTaken) await call();
    else {
      const message = what.includes('4 KiB') ? /unknown class parameter/ : /at most (128|256|4096)/;
      await expect(call()).rejects.toMatchObject({ code: 'InvalidArgument', message: expect.stringMatching(message) });
    }
  });

  test('a path may be as long as the system allows, and no longer', async () => {
    await kit.create('one');
    await publish({ targetPath: `/${'p'.repeat(200)}`.repeat(20) });
    await expect(publish({ targetPath: `/${'p'.repeat(200)}`.repeat(21) })).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
  });

  test('mount flags are counted together', async () => {
    const flags = (count: number) =>
      VolumeCapability.fromPartial({
        accessType: { $case: 'mount', value: { mountFlags: Array.from({ length: count }, () => 'x'.repeat(64)) } },
        accessMode: { mode: Mode.SINGLE_NODE_WRITER },
      });
    await kit.create('one', { volumeCapabilities: [flags(64)] });
    await expect(kit.create('two', { volumeCapabilities: [flags(65)] })).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
  });
});

describe('"Field Requirements" and names', () => {
  test('a name may be any text but control characters, and gives the same volume each time', async () => {
    const name = '../ünïcode\t名前 $(rm -rf /)';
    const made = await kit.create(name);
    expect(made.volume?.volumeId).toMatch(/^h-[0-9a-f]{40}$/);
    expect(await kit.create(name)).toEqual(made);
    for (const code of [0x00, 0x08, 0x0b, 0x0e, 0x1f, 0x7f, 0x9f]) {
      await expect(kit.create(`a${String.fromCharCode(code)}`)).rejects.toMatchObject({ code: 'InvalidArgument' });
    }
  });

  test('a repeated field that is required has an element', async () => {
    await expect(kit.create('one', { volumeCapabilities: [] })).rejects.toMatchObject({ code: 'InvalidArgument' });
    await kit.create('one');
    await expect(
      kit.controller.validateVolumeCapabilities(
        {
          volumeId: 'one',
          volumeCapabilities: [],
          volumeContext: {},
          parameters: {},
          secrets: {},
          mutableParameters: {},
        },
        options,
      ),
    ).rejects.toMatchObject({ code: 'InvalidArgument' });
  });
});

test('"Error Scheme": an error has a message, whatever the backend threw', async () => {
  await kit.create('one');
  for (const thrown of [new Error(''), 'a string', undefined, { code: 5 }]) {
    backend.publishVolume = async () => {
      throw thrown;
    };
    await expect(publish()).rejects.toMatchObject({ code: 'Internal', message: expect.stringMatching(/\S/) });
  }
});

test('"Error Scheme", ABORTED: while one operation on a volume runs, every other one is turned away, and reads are not', async () => {
  await serveAnew(staging());
  await kit.create('one');
  const { promise, resolve } = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  await serveAnew({
    ...staging(),
    deleteVolume: async () => {
      entered.resolve();
      await promise;
    },
  });
  const running = kit.controller.deleteVolume({ volumeId: 'one', secrets: {} }, options);
  await entered.promise;
  const range = { requiredBytes: 2048n };
  const others: (() => Promise<unknown>)[] = [
    () => kit.controller.deleteVolume({ volumeId: 'one', secrets: {} }, options),
    () => kit.create('one'),
    () => attach(),
    () => kit.controller.controllerUnpublishVolume({ volumeId: 'one', nodeId: 'a', secrets: {} }, options),
    () =>
      kit.controller.controllerExpandVolume(
        ControllerExpandVolumeRequest.fromPartial({ volumeId: 'one', capacityRange: range }),
        options,
      ),
    () =>
      kit.controller.controllerModifyVolume(
        { volumeId: 'one', mutableParameters: { iops: '5' }, secrets: {} },
        options,
      ),
    () =>
      kit.controller.createSnapshot(CreateSnapshotRequest.fromPartial({ name: 's', sourceVolumeId: 'one' }), options),
    () => stage(),
    () => kit.node.nodeUnstageVolume({ volumeId: 'one', stagingTargetPath: '/s' }, options),
    () => publish({ stagingTargetPath: '/s' }),
    () => kit.node.nodeUnpublishVolume({ volumeId: 'one', targetPath: '/t' }, options),
    () =>
      kit.node.nodeExpandVolume(NodeExpandVolumeRequest.fromPartial({ volumeId: 'one', volumePath: '/t' }), options),
  ];
  for (const other of others) {
    await expect(other()).rejects.toMatchObject({
      code: 'Aborted',
      message: expect.stringContaining('try again later'),
    });
  }
  await kit.controller.controllerGetVolume({ volumeId: 'one' }, options);
  expect((await kit.controller.listVolumes({ maxEntries: 0, startingToken: '' }, options)).entries).toHaveLength(1);
  resolve();
  await running;
});

test('"Secrets Requirements": no secret is in a log or an error, nor is a service account token of a volume context', async () => {
  const log = createRecordingLogger();
  await serveAnew(staging(), log);
  const [secret, token] = ['hunter2-the-secret', 'eyJhbGciOi-the-token'];
  const secrets = { password: secret };
  await kit.create('one', { secrets });
  await attach({ secrets });
  await stage({ secrets });
  backend.publishVolume = async () => {
    throw rpcError('Internal', `login with ${secret} failed`);
  };
  await serveAnew({ ...staging(), publishVolume: backend.publishVolume }, log);
  const volumeContext = { 'csi.storage.k8s.io/serviceAccount.tokens': token };
  await expect(publish({ secrets, volumeContext, stagingTargetPath: '/s' })).rejects.toMatchObject({
    message: expect.not.stringContaining(secret),
  });
  await kit.controller.controllerUnpublishVolume({ volumeId: 'one', nodeId: 'a', secrets }, options);
  const text = JSON.stringify(log.lines, bigintAsText);
  expect(text).toContain('NodePublishVolume');
  expect(text).not.toContain(secret);
  expect(text).not.toContain(token);
});

test.each([
  ['password', true],
  ['A-z_0.9', true],
  // What kubelet sends for serviceAccountTokenInSecrets.
  ['csi.storage.k8s.io/serviceAccount.tokens', true],
  ['', false],
  ['pass word', false],
  ['hunter2/key', false],
  ['schlüssel', false],
  ['key\n', false],
])('"Secrets Requirements": a key %j is taken by every call that has secrets: %s', async (key, isTaken) => {
  const log = await serveAnew(staging());
  await kit.create('one');
  const secrets = { [key]: 'value' };
  const readOnly = { volumeId: 'one', volumeCapabilities: [mountCapability], volumeContext: {}, parameters: {} };
  const calls = [
    () => kit.create('two', { secrets }),
    () => attach({ secrets }),
    () => stage({ secrets }),
    () => publish({ secrets, stagingTargetPath: '/s' }),
    () => kit.controller.validateVolumeCapabilities({ ...readOnly, mutableParameters: {}, secrets }, options),
    () => kit.controller.controllerUnpublishVolume({ volumeId: 'one', nodeId: 'a', secrets }, options),
    () => kit.controller.deleteVolume({ volumeId: 'two', secrets }, options),
  ];
  for (const call of calls) {
    if (isTaken) await call();
    else {
      await expect(call()).rejects.toMatchObject({
        code: 'InvalidArgument',
        message: expect.stringMatching(/^[^:]*secrets has a key with other characters/),
      });
    }
  }
  if (key.includes('hunter2')) expect(JSON.stringify(log.lines, bigintAsText)).not.toContain(key);
});

describe('"Probe"', () => {
  test('what the backend says is wrong is FAILED_PRECONDITION; else it is ready', async () => {
    expect(await kit.identity.probe({}, options)).toEqual({ ready: true });
    await serveAnew({
      ...backend,
      checkHealth: async () => {
        throw new Error('the pool is gone');
      },
    });
    await expect(kit.identity.probe({}, options)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: 'the pool is gone',
    });
  });
});

describe('"ControllerPublishVolume" and "ControllerUnpublishVolume"', () => {
  beforeEach(() => kit.create('one').then(() => undefined));

  test('the same call gives the same context; read-only where it was writable is ALREADY_EXISTS', async () => {
    const first = await attach();
    expect(await attach()).toEqual(first);
    await expect(attach({ readonly: true })).rejects.toMatchObject({ code: 'AlreadyExists' });
  });

  test('no node is every node, and again is no error', async () => {
    await attach();
    for (let again = 0; again < 2; again++)
      await kit.controller.controllerUnpublishVolume({ volumeId: 'one', nodeId: '', secrets: {} }, options);
    expect(backend.volumes.get('one')?.attachments).toEqual([]);
  });
});

describe('"NodeStageVolume" and "NodePublishVolume"', () => {
  beforeEach(async () => {
    await kit.create('one');
    await serveAnew(staging());
  });

  test('a driver that stages is published from a staging path: without one FAILED_PRECONDITION', async () => {
    await expect(publish()).rejects.toMatchObject({ code: 'FailedPrecondition' });
    await publish({ stagingTargetPath: '/s' });
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ['stage without an id', () => stage({ volumeId: '' }), 'InvalidArgument'],
    ['stage without a path', () => stage({ stagingTargetPath: '' }), 'InvalidArgument'],
    ['stage of an unknown volume', () => stage({ volumeId: 'unknown' }), 'NotFound'],
    [
      'unstage without a path',
      () => kit.node.nodeUnstageVolume({ volumeId: 'one', stagingTargetPath: '' }, options),
      'InvalidArgument',
    ],
    [
      'unpublish without a path',
      () => kit.node.nodeUnpublishVolume({ volumeId: 'one', targetPath: '' }, options),
      'InvalidArgument',
    ],
  ])('%s', async (_, call, code) => {
    await expect(call()).rejects.toMatchObject({ code });
  });

  test('unstage of an unknown volume is success: kubelet would ask for ever', async () => {
    await kit.node.nodeUnstageVolume({ volumeId: 'unknown', stagingTargetPath: '/s' }, options);
  });

  test.each(['', 'access type', 'access mode'])(
    'stage with a capability without %j is INVALID_ARGUMENT',
    async (without) => {
      const { accessType, accessMode } = mountCapability;
      const volumeCapability = VolumeCapability.create({
        ...(without === 'access mode' ? { accessType } : {}),
        ...(without === 'access type' ? { accessMode } : {}),
      });
      await expect(stage({ volumeCapability })).rejects.toMatchObject({ code: 'InvalidArgument' });
    },
  );
});

// CSI spec "NodePublishVolume", the tables; T1 is published writable as a mount.
describe('the truth table of NodePublishVolume', () => {
  const isThere = [{ targetPath: '/t1', isReadOnly: false, kind: 'mount' }] as const;

  test.each([
    ['MULTI_NODE_MULTI_WRITER', 'done', 'AlreadyExists', 'proceed', 'proceed'],
    ['MULTI_NODE_READER_ONLY', 'done', 'AlreadyExists', 'proceed', 'proceed'],
    ['MULTI_NODE_SINGLE_WRITER', 'done', 'AlreadyExists', 'proceed', 'proceed'],
    ['SINGLE_NODE_MULTI_WRITER', 'done', 'AlreadyExists', 'proceed', 'proceed'],
    ['SINGLE_NODE_SINGLE_WRITER', 'done', 'AlreadyExists', 'FailedPrecondition', 'FailedPrecondition'],
    ['SINGLE_NODE_READER_ONLY', 'done', 'AlreadyExists', 'FailedPrecondition', 'FailedPrecondition'],
    // The one cell that is let pass: kubelet publishes a ReadWriteOnce volume to every pod of its node.
    ['SINGLE_NODE_WRITER', 'done', 'AlreadyExists', 'proceed', 'proceed'],
  ] as const)('%s: %s, %s, %s, %s', (mode, ...expected) => {
    const found = [
      ['/t1', false],
      ['/t1', true],
      ['/t2', false],
      ['/t2', true],
    ].map(([targetPath, isReadOnly]) => {
      const access = { kind: 'mount', mode, fsType: '', mountFlags: [] } as const;
      const decision = decidePublish(
        'v',
        { targetPath: String(targetPath), isReadOnly: isReadOnly === true, access },
        isThere,
      );
      return decision.kind === 'refuse' ? decision.code : decision.kind;
    });
    expect(found).toEqual(expected);
  });

  test('as a mount and as a block device are not the same either', () => {
    const access = { kind: 'block', mode: 'SINGLE_NODE_MULTI_WRITER' } as const;
    expect(decidePublish('v', { targetPath: '/t1', isReadOnly: false, access }, isThere)).toMatchObject({
      code: 'AlreadyExists',
    });
  });
});

describe('"RPC Interactions": capabilities that go together', () => {
  test.each([
    ['cloneVolume', 'CLONE_VOLUME', ['createVolume']],
    ['listSnapshots', 'LIST_SNAPSHOTS', ['createSnapshot']],
    ['attachVolume', 'LIST_VOLUMES_PUBLISHED_NODES', ['listVolumes', 'attachVolume']],
    ['volumeHealth', 'LIST_VOLUME_HEALTH', ['listVolumes']],
  ] as const)('%s: %s is not offered without %s', async (_, capability, needed) => {
    const names = async () => JSON.stringify(await kit.controller.controllerGetCapabilities({}, options));
    const before = await names();
    for (const name of needed) {
      const { [name]: _without, ...rest } = backend;
      await serveAnew(rest);
      expect((await names()).length, `${capability} without ${name}`).toBeLessThan(before.length);
    }
  });

  test('VOLUME_MOUNT_GROUP is offered where it is implemented; without, a group is refused and kubelet’s to apply', async () => {
    await kit.create('one');
    const volumeCapability = VolumeCapability.fromPartial({
      accessType: { $case: 'mount', value: { volumeMountGroup: '7' } },
      accessMode: { mode: Mode.SINGLE_NODE_WRITER },
    });
    await expect(publish({ volumeCapability })).rejects.toMatchObject({ code: 'InvalidArgument' });
    const given: unknown[] = [];
    await serveAnew({ ...backend, applyMountGroup: async (...args) => void given.push(args) });
    await publish({ volumeCapability });
    // Again, for the last try may have ended before it; not for a read-only target.
    await publish({ volumeCapability });
    await publish({ volumeCapability, targetPath: '/r', readonly: true });
    expect(given).toEqual([
      ['one', '/t', 7],
      ['one', '/t', 7],
    ]);
  });
});
