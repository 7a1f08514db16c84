import { found, notYet, type Sight } from '../expect.ts';
import { applyExample, deleteExample } from '../manifests.ts';
import type { Scene } from './scene.ts';

interface PodWords {
  checksum: string;
  hasWritten: boolean;
}

/** What the pod of deploy/examples says in its log. */
async function hearPod({ cluster, podName }: Scene): Promise<Sight<PodWords>> {
  const log = await cluster.podLog(podName);
  const checksum = /sha256 ([0-9a-f]{64})/.exec(log)?.[1];
  if (checksum === undefined) {
    return notYet(`pod is ${cluster.pod(podName)?.status?.phase ?? 'not there'}, its log is ${JSON.stringify(log)}`);
  }
  return found({ checksum, hasWritten: log.includes('wrote') });
}

/** The checksum of what the pod wrote. */
export async function seePodWrite(scene: Scene): Promise<string> {
  const { checksum } = await scene.step({
    title: 'pod wrote a file',
    what: "a checksum in the pod's log",
    look: () => hearPod(scene),
    detail: (words) => `1 MiB, sha256 ${words.checksum.slice(0, 16)}…`,
  });
  return checksum;
}

/** Deletes the pod and makes it again: the bytes must outlive it. */
export async function remakePod(scene: Scene, checksum: string): Promise<void> {
  await makePodAgain(scene, () => scene.strike('remake'));
  await scene.step({
    title: 'a new pod reads the same bytes',
    what: `sha256 ${checksum} of a file that was there already`,
    look: async () => {
      const sight = await hearPod(scene);
      if (sight.kind === 'notYet') return sight;
      const { checksum: read, hasWritten } = sight.value;
      return read === checksum && !hasWritten
        ? found(read)
        : notYet(`sha256 ${read}${hasWritten ? ', newly written' : ''}`);
    },
    detail: (read) => `sha256 ${read.slice(0, 16)}…`,
  });
}

export async function makePodAgain(scene: Scene, onDelete: () => void = () => {}): Promise<void> {
  const { cluster, podName, signal, file, step } = scene;
  await deleteExample(cluster.client, file('3-pod'), signal);
  onDelete();
  await step({
    title: 'pod is deleted',
    what: `pod ${podName} to be gone`,
    look: () => (cluster.pod(podName) ? notYet('it is still there') : found(true)),
  });
  await applyExample(cluster.client, file('3-pod'), signal);
}
