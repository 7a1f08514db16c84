import type { Cluster } from './cluster.ts';
import { expectSoon, found, notYet, type Sight } from './expect.ts';
import { describeFound, findLeftovers, summarize } from './leftovers.ts';
import { mountsBelow, poolEntries } from './machine.ts';
import { applyExample, deleteExample } from './manifests.ts';
import type { Kill, Step } from './options.ts';
import { type Backend, driverName, type Places, poolDir, stack } from './programs.ts';
import type { Report } from './report.ts';
import type { Supervisor } from './supervisor.ts';

export interface Stage {
  backend: Backend;
  cluster: Cluster;
  places: Places;
  supervisor: Supervisor;
  report: Report;
  kills: readonly Kill[];
  signal: AbortSignal;
}

/** Long enough for every program to crash and come back more than once on a slow machine. */
const timeoutMs = 60_000;
const grownBytes = 128n * 1024n * 1024n;

const titles: Record<Backend, string> = {
  disk: 'disk: an ext4 file system on a loop device, attached to its node, made where its first consumer runs',
  dir: 'dir: a directory, mounted where it lies',
};

/** One backend's act: a claim from Pending to nothing left. */
export async function actOn(stage: Stage): Promise<void> {
  const { backend, report } = stage;
  report.title(titles[backend]);
  const act = createAct(stage);
  await act.startPrograms();
  if (backend === 'disk') await act.provisionForFirstConsumer();
  else await act.provisionAtOnce();
  await act.mount();
  const checksum = await act.seePodWrite();
  await act.remakePod(checksum);
  await act.grow();
  await act.deleteEverything();
  await act.checkNothingIsLeft();
}

interface Act {
  startPrograms(): Promise<void>;
  provisionForFirstConsumer(): Promise<void>;
  provisionAtOnce(): Promise<void>;
  mount(): Promise<void>;
  seePodWrite(): Promise<string>;
  remakePod(checksum: string): Promise<void>;
  grow(): Promise<void>;
  deleteEverything(): Promise<void>;
  checkNothingIsLeft(): Promise<void>;
}

function createAct({ backend, cluster, places, supervisor, report, kills, signal }: Stage): Act {
  const driver = driverName(backend);
  const claimName = `${backend}-data`;
  const podName = `${backend}-writer`;
  let since = performance.now();

  const file = (name: string): string => `${backend}/${name}.yaml`;
  const healthPort = backend === 'disk' ? 19_808 : 19_809;

  /** Waits, then reports the step with the time since the step before it. */
  async function step<T>(
    title: string,
    what: string,
    look: () => Sight<T> | Promise<Sight<T>>,
    detail: (value: T) => string,
  ): Promise<T> {
    report.waiting(`${title}: waiting for ${what}`);
    const value = await expectSoon({ what, look, timeoutMs, signal });
    report.step(title, performance.now() - since, detail(value));
    since = performance.now();
    return value;
  }

  function strike(at: Step): void {
    for (const kill of kills.filter((candidate) => candidate.step === at)) {
      const label = kill.program === 'kubelet' ? 'kubelet' : `${backend} ${kill.program}`;
      const killed = supervisor.kill(label);
      if (killed) report.note(`kill -9 ${killed.pid} (${label})`);
    }
  }

  function volumeName(): string {
    return cluster.claim(claimName)?.spec?.volumeName ?? '';
  }

  const target = (): string[] => mountsBelow(places.kubeletRoot).filter((path) => path.includes('/kubernetes.io~csi/'));
  const staging = (): string[] => mountsBelow(places.kubeletRoot).filter((path) => path.endsWith('/globalmount'));

  const seeCreated = (): Promise<unknown> =>
    step(
      'CreateVolume',
      'the volume in the driver’s pool',
      () => {
        const entries = poolEntries(poolDir(places, backend));
        return entries.length > 0
          ? found(entries)
          : notYet(`an empty pool; claim is ${cluster.claim(claimName)?.status?.phase}`);
      },
      () => '',
    );

  const seeBound = async (): Promise<void> => {
    await step(
      'PersistentVolume',
      'a PersistentVolume of this claim',
      () => {
        const volume = cluster.volumes().find((candidate) => candidate.spec?.claimRef?.name === claimName);
        return volume
          ? found(volume)
          : notYet(`${cluster.volumes().length} PersistentVolumes, none of claim ${claimName}`);
      },
      (volume) => volume.metadata.name,
    );
    await step(
      'claim is Bound',
      `claim ${claimName} to be Bound`,
      () => {
        const claim = cluster.claim(claimName);
        const volume = cluster.volume(volumeName());
        return claim?.status?.phase === 'Bound' && volume?.status?.phase === 'Bound'
          ? found(claim)
          : notYet(`claim ${claim?.status?.phase}, volume ${volume?.status?.phase}`);
      },
      (claim) => `${claim.status?.capacity?.['storage']}`,
    );
  };

  const seePending = (why: string): Promise<unknown> =>
    step(
      'claim is Pending',
      `claim ${claimName}`,
      () => {
        const claim = cluster.claim(claimName);
        return claim ? found(claim) : notYet('no such claim');
      },
      () => why,
    );

  const dfOf = (log: string): bigint => BigInt(/df\s+(\d+)\s*$/.exec(log.trimEnd())?.[1] ?? 0);
  const checksumOf = (log: string): string => /sha256 ([0-9a-f]{64})/.exec(log)?.[1] ?? '';

  const seeChecksum = async (): Promise<Sight<{ checksum: string; hasWritten: boolean }>> => {
    const log = await cluster.podLog(podName);
    const checksum = checksumOf(log);
    return checksum === ''
      ? notYet(`pod is ${cluster.pod(podName)?.status?.phase ?? 'not there'}; its log: ${JSON.stringify(log)}`)
      : found({ checksum, hasWritten: log.includes('wrote') });
  };

  return {
    async startPrograms() {
      since = performance.now();
      const programs = stack(places, backend, healthPort);
      for (const program of programs) supervisor.start(program);
      await applyExample(cluster.client, file('1-driver'), signal);
      await step(
        'driver is registered',
        `${driver} in CSINode`,
        () => {
          const names = cluster.csiNode()?.spec?.drivers?.map((entry) => entry.name) ?? [];
          return names.includes(driver) ? found(names) : notYet(`CSINode lists: ${names.join(', ') || 'nothing'}`);
        },
        () => programs.map(({ name }) => name).join(', '),
      );
      await step(
        'driver is healthy',
        'livenessprobe to answer 200',
        async () => {
          const url = `http://127.0.0.1:${healthPort}/healthz`;
          const reply = await fetch(url, { signal }).catch((error: Error) => error);
          return reply instanceof Response && reply.ok ? found(reply.status) : notYet(String(reply));
        },
        () => 'livenessprobe says ok',
      );
    },

    async provisionForFirstConsumer() {
      await applyExample(cluster.client, file('2-claim'), signal);
      await seePending('it waits for its first consumer');
      await applyExample(cluster.client, file('3-pod'), signal);
      strike('create');
      await seeCreated();
      await seeBound();
      strike('attach');
      await step(
        'attached',
        `a VolumeAttachment of ${volumeName()} that is attached`,
        () => {
          const attachment = cluster
            .attachments()
            .find((candidate) => candidate.spec?.source?.persistentVolumeName === volumeName());
          return attachment?.status?.attached
            ? found(attachment)
            : notYet(
                attachment ? `not attached: ${attachment.status?.attachError?.message ?? 'no error yet'}` : 'none',
              );
        },
        (attachment) => `to ${attachment.spec?.nodeName}`,
      );
    },

    async provisionAtOnce() {
      await applyExample(cluster.client, file('2-claim'), signal);
      strike('create');
      await seePending('and at once provisioned');
      await seeCreated();
      await seeBound();
      await applyExample(cluster.client, file('3-pod'), signal);
    },

    async mount() {
      if (backend === 'disk') {
        strike('stage');
        await step(
          'staged',
          'the staging path to be a mount',
          () => {
            const [path] = staging();
            return path === undefined
              ? notYet(`mounts: ${mountsBelow(places.work).join(', ') || 'none'}`)
              : found(path);
          },
          (path) => path.slice(places.work.length + 1),
        );
      }
      strike('publish');
      await step(
        'published',
        'the pod’s target path to be a mount',
        () => {
          const [path] = target();
          return path === undefined ? notYet(`mounts: ${mountsBelow(places.work).join(', ') || 'none'}`) : found(path);
        },
        (path) => path.slice(places.work.length + 1),
      );
    },

    async seePodWrite() {
      const { checksum } = await step(
        'pod wrote a file',
        'a checksum in the pod’s log',
        seeChecksum,
        (written) => `sha256 ${written.checksum.slice(0, 16)}…`,
      );
      return checksum;
    },

    async remakePod(checksum) {
      await deleteExample(cluster.client, file('3-pod'), signal);
      strike('remake');
      await step(
        'pod is deleted',
        `pod ${podName} to be gone`,
        () => (cluster.pod(podName) ? notYet('still there') : found(true)),
        () => '',
      );
      await applyExample(cluster.client, file('3-pod'), signal);
      await step(
        'a new pod reads the same bytes',
        `sha256 ${checksum} in the new pod’s log`,
        async () => {
          const sight = await seeChecksum();
          if (sight.kind === 'notYet') return sight;
          return sight.value.checksum === checksum && !sight.value.hasWritten
            ? found(checksum)
            : notYet(`other bytes: ${sight.value.checksum}`);
        },
        () => `sha256 ${checksum.slice(0, 16)}…`,
      );
    },

    async grow() {
      const before = dfOf(await cluster.podLog(podName));
      await applyExample(cluster.client, file('4-claim-grown'), signal);
      strike('grow');
      await step(
        'claim has grown',
        `claim ${claimName} with a capacity of 128Mi`,
        () => {
          const size = cluster.claim(claimName)?.status?.capacity?.['storage'];
          return size === '128Mi'
            ? found(size)
            : notYet(`capacity ${size}, conditions ${JSON.stringify(cluster.claim(claimName)?.status?.conditions)}`);
        },
        (size) => `64Mi → ${size}, while mounted`,
      );
      if (backend === 'dir') {
        report.note(
          `df shows the file system that holds the directory (${before} bytes): a directory has no size of its own`,
        );
        return;
      }
      // A file system keeps some of its device for itself; ext4 less than a fifth of one this small.
      await step(
        'df in the pod shows it',
        'df of more than 100 MiB',
        async () => {
          const size = dfOf(await cluster.podLog(podName));
          return size > (grownBytes * 4n) / 5n ? found(size) : notYet(`${size} bytes`);
        },
        (size) => `${before} → ${size} bytes`,
      );
    },

    async deleteEverything() {
      await deleteExample(cluster.client, file('3-pod'), signal);
      await deleteExample(cluster.client, file('2-claim'), signal);
      strike('delete');
      await step(
        'everything is deleted',
        'pod, claim and PersistentVolume to be gone',
        () => {
          const left = [
            cluster.pod(podName),
            cluster.claim(claimName),
            ...cluster.volumes(),
            ...cluster.attachments(),
          ].filter((object) => object !== undefined);
          return left.length === 0
            ? found(true)
            : notYet(
                left
                  .map(
                    (object) =>
                      `${object.kind} ${object.metadata.name} (finalizers ${object.metadata.finalizers?.join(', ')})`,
                  )
                  .join('; '),
              );
        },
        () => 'pod, claim, PersistentVolume, VolumeAttachment',
      );
    },

    async checkNothingIsLeft() {
      await step(
        'nothing is left',
        'nothing left of the claim',
        () => {
          const leftovers = findLeftovers(cluster, places, backend);
          return leftovers.every(({ names }) => names.length === 0)
            ? found(leftovers)
            : notYet(describeFound(leftovers));
        },
        summarize,
      );
    },
  };
}
