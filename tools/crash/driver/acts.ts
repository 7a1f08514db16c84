import type { VolumeCapability } from '@holdfast/csi-spec';
import {
  blockCapability,
  fromSnapshot,
  fromVolume,
  MiB,
  mountCapability,
  options,
  requestsFor,
  snapshotRequest,
} from '../../../packages/driver/src/testing/requests.ts';
import type { Act, Call } from './act.ts';
import { expectText, readable, writable } from './content.ts';

type FsType = 'ext4' | 'xfs' | 'btrfs' | 'block';

const sizes: Readonly<Record<FsType, bigint>> = {
  ext4: 16n * MiB,
  xfs: 300n * MiB,
  btrfs: 256n * MiB,
  block: 4n * MiB,
};

/** Each is played in a folder, and a process, of its own. The longest come first, so that none is left alone at the end. */
export const acts: readonly ((dir: string) => Act)[] = [
  (dir) => copies(dir, 'ext4'),
  (dir) => ({ ...copies(dir, 'btrfs'), poolFsType: 'btrfs' }),
  (dir) => ({ ...copies(dir, 'xfs'), poolFsType: 'xfs' }),
  (dir) => groups(dir),
  (dir) => firstUse(dir, 'ext4'),
  (dir) => laterUse(dir, 'ext4'),
  (dir) => laterUse(dir, 'btrfs'),
  (dir) => folderCopies(dir),
  (dir) => laterUse(dir, 'xfs'),
  (dir) => firstUse(dir, 'xfs'),
  (dir) => firstUse(dir, 'btrfs'),
  (dir) => laterUse(dir, 'block'),
  (dir) => folders(dir),
  (dir) => firstUse(dir, 'block'),
];

/** One volume's calls by name. */
function volumeIn(dir: string, name: string, fsType: FsType | 'dir') {
  const capability: VolumeCapability =
    fsType === 'block' ? blockCapability() : mountCapability(fsType === 'dir' ? '' : fsType);
  const sizeBytes = fsType === 'dir' ? MiB : sizes[fsType];
  const requests = requestsFor({ name, capability, dir, sizeBytes });
  const content = fsType === 'block' ? requests.targetPath : `${requests.targetPath}/content`;
  const call = (word: string, run: Call['run'], check?: Call['check']): Call => ({
    name: `${word} ${name}`,
    run,
    ...(check === undefined ? {} : { check }),
  });
  return {
    content,
    create: call('create', ({ controller }) => controller.createVolume(requests.create(), options)),
    restore: (snapshot: string) =>
      call('restore', ({ controller }) => controller.createVolume(requests.create(fromSnapshot(snapshot)), options)),
    cloneOf: (source: string) =>
      call('clone', ({ controller }) => controller.createVolume(requests.create(fromVolume(source)), options)),
    attach: call('attach', ({ controller }) => controller.controllerPublishVolume(requests.attach(), options)),
    stage: call('stage', ({ node }) => node.nodeStageVolume(requests.stage(), options)),
    publish: call('publish', ({ node }) => node.nodePublishVolume(requests.publish(), options)),
    write: call('write to', () => writable(content)),
    /** Published, and what was written is there. */
    publishWhole: call(
      'publish',
      ({ node }) => node.nodePublishVolume(requests.publish(), options),
      () => expectText(content),
    ),
    unpublish: call('unpublish', ({ node }) => node.nodeUnpublishVolume(requests.unpublish(), options)),
    unstage: call('unstage', ({ node }) => node.nodeUnstageVolume(requests.unstage(), options)),
    detach: call('detach', ({ controller }) => controller.controllerUnpublishVolume(requests.detach(), options)),
    remove: call('delete', ({ controller }) => controller.deleteVolume(requests.remove(), options)),
    expand: (toBytes: bigint) =>
      call('expand', ({ controller }) => controller.controllerExpandVolume(requests.expand(toBytes), options)),
    expandOnNode: (toBytes: bigint) =>
      call(
        'expand on the node',
        ({ node }) => node.nodeExpandVolume(requests.nodeExpand(toBytes), options),
        async () => void (await readable(content)),
      ),
    modify: (mutableParameters: Record<string, string>) =>
      call('modify', ({ controller }) =>
        controller.controllerModifyVolume({ volumeId: name, secrets: {}, mutableParameters }, options),
      ),
  };
}

const plain = (call: Call): Call => ({ ...call, isPlain: true });

/** From nothing to a file system and back. */
function firstUse(dir: string, fsType: FsType): Act {
  const volume = volumeIn(dir, 'pvc-1', fsType);
  const { create, attach, stage, publish, unpublish, unstage, detach, remove } = volume;
  const isShared = fsType !== 'ext4';
  const maybe = (call: Call): Call => (isShared ? plain(call) : call);
  const round = [create, attach].map(maybe).concat(stage, publish, unpublish, unstage, [detach, remove].map(maybe));
  return {
    name: `first use of ${fsType}`,
    backend: 'disk',
    volumes: ['pvc-1'],
    before: [],
    round: () => round,
    after: [],
  };
}

/** Growth and changes in use, and another stage of what holds data. */
function laterUse(dir: string, fsType: FsType): Act {
  const volume = volumeIn(dir, 'pvc-1', fsType);
  const { create, attach, stage, publish, write, publishWhole, unpublish, unstage, detach, remove } = volume;
  // Without CAP_SYS_RESOURCE a mounted ext4 does not grow; it grows when it is staged again.
  const growsInUse = fsType !== 'ext4';
  const round = (number: number): readonly Call[] => {
    const toBytes = sizes[fsType] + BigInt(number) * 16n * MiB;
    return [
      volume.expand(toBytes),
      ...(growsInUse ? [volume.expandOnNode(toBytes)] : []),
      volume.modify({
        readAheadKiB: String(128 + number),
        ...(fsType === 'block' ? {} : { label: `round-${number}` }),
      }),
      plain(unpublish),
      plain(unstage),
      stage,
      plain(publishWhole),
    ];
  };
  return {
    name: `later use of ${fsType}`,
    backend: 'disk',
    volumes: ['pvc-1'],
    before: [create, attach, stage, publish, write],
    round,
    after: [publishWhole, unpublish, unstage, detach, remove],
  };
}

/** A snapshot and a clone of a volume in use, and a volume from each. */
function copies(dir: string, fsType: 'ext4' | 'xfs' | 'btrfs'): Act {
  const source = volumeIn(dir, 'pvc-1', fsType);
  const restored = volumeIn(dir, 'pvc-2', fsType);
  const clone = volumeIn(dir, 'pvc-3', fsType);
  const { stage } = restored;
  return {
    name: `copies of ${fsType}`,
    backend: 'disk',
    volumes: ['pvc-1', 'pvc-2', 'pvc-3'],
    before: [source.create, source.attach, source.stage, source.publish, source.write],
    round: () => [
      ...snapshot(source.content),
      restored.restore('snap-1'),
      { ...clone.cloneOf('pvc-1'), check: () => writable(source.content) },
      plain(restored.attach),
      stage,
      ...[restored.publishWhole, restored.unpublish, restored.unstage, restored.detach, restored.remove].map(plain),
      ...[clone.attach, clone.stage, clone.publishWhole, clone.unpublish, clone.unstage, clone.detach].map(plain),
      plain(clone.remove),
      deleteSnapshot,
    ],
    after: [source.unpublish, source.unstage, source.detach, source.remove],
  };
}

/** It holds the file system, and lets go of it: a write afterwards goes through. */
function snapshot(content: string): readonly Call[] {
  return [
    {
      name: 'snapshot pvc-1',
      run: ({ controller }) => controller.createSnapshot(snapshotRequest('snap-1', 'pvc-1'), options),
      check: () => writable(content),
    },
  ];
}

const deleteSnapshot: Call = {
  name: 'delete snap-1',
  run: ({ controller }) => controller.deleteSnapshot({ snapshotId: 'snap-1', secrets: {} }, options),
};

/** Two volumes in use, held at once. */
function groups(dir: string): Act {
  const [one, two] = [volumeIn(dir, 'pvc-1', 'ext4'), volumeIn(dir, 'pvc-2', 'ext4')];
  const id = { groupSnapshotId: '', snapshotIds: [] as string[] };
  return {
    name: 'group snapshots',
    backend: 'disk',
    volumes: ['pvc-1', 'pvc-2'],
    before: [one, two].flatMap(({ create, attach, stage, publish, write }) => [create, attach, stage, publish, write]),
    round: () => [
      {
        name: 'group snapshot',
        async run({ group }) {
          const sourceVolumeIds = ['pvc-1', 'pvc-2'];
          const request = { name: 'group-1', sourceVolumeIds, secrets: {}, parameters: {} };
          const { groupSnapshot } = await group.createVolumeGroupSnapshot(request, options);
          id.groupSnapshotId = groupSnapshot?.groupSnapshotId ?? '';
          id.snapshotIds = groupSnapshot?.snapshots.map(({ snapshotId }) => snapshotId) ?? [];
        },
        check: async () => void (await Promise.all([writable(one.content), writable(two.content)])),
      },
      {
        name: 'delete the group',
        run: ({ group }) => group.deleteVolumeGroupSnapshot({ ...id, secrets: {} }, options),
      },
    ],
    after: [one, two].flatMap(({ unpublish, unstage, detach, remove }) => [unpublish, unstage, detach, remove]),
  };
}

function folders(dir: string): Act {
  const { create, publish, write, unpublish, remove, ...volume } = volumeIn(dir, 'pvc-1', 'dir');
  return {
    name: 'use of dir',
    backend: 'dir',
    volumes: ['pvc-1'],
    before: [],
    round: () => [
      create,
      publish,
      plain(write),
      volume.expand(2n * MiB),
      unpublish,
      plain(volume.publishWhole),
      plain(unpublish),
      remove,
    ],
    after: [],
  };
}

function folderCopies(dir: string): Act {
  const source = volumeIn(dir, 'pvc-1', 'dir');
  const restored = volumeIn(dir, 'pvc-2', 'dir');
  const clone = volumeIn(dir, 'pvc-3', 'dir');
  return {
    name: 'copies of dir',
    backend: 'dir',
    volumes: ['pvc-1', 'pvc-2', 'pvc-3'],
    before: [source.create, source.publish, source.write],
    round: () => [
      ...snapshot(source.content),
      restored.restore('snap-1'),
      clone.cloneOf('pvc-1'),
      ...[restored.publishWhole, restored.unpublish, restored.remove].map(plain),
      ...[clone.publishWhole, clone.unpublish].map(plain),
      clone.remove,
      deleteSnapshot,
    ],
    after: [source.unpublish, source.remove],
  };
}
