import { canGrowMountedExt } from '@holdfast/mount';
import { found, notYet } from '../expect.ts';
import { applyExample } from '../manifests.ts';
import { makePodAgain } from './pod.ts';
import type { Scene } from './scene.ts';

const grownMebibytes = 128;

/** Grows the claim while the pod runs, and looks at `df` from inside the pod. */
export async function grow(scene: Scene): Promise<void> {
  const { backend, cluster, report, signal, file } = scene;
  const before = await dfInPod(scene);
  await applyExample(cluster.client, file('grown/claim'), signal);
  scene.strike('grow');
  if (backend === 'disk' && !(await canGrowMountedExt())) {
    await seeVolumeGrown(scene);
    report.note(
      'This root lacks CAP_SYS_RESOURCE, without which the kernel grows no mounted ext4; so the pod is made again.',
    );
    await makePodAgain(scene);
  }
  await seeClaimGrown(scene);
  if (backend === 'dir') {
    report.note('df stays as it is: a directory has no size of its own, so its size is kept on record only');
    return;
  }
  await seeDfGrown(scene, before);
}

async function seeVolumeGrown({ cluster, volumeName, step }: Scene): Promise<void> {
  await step({
    title: 'volume has grown',
    what: `PersistentVolume ${volumeName()} with a capacity of ${grownMebibytes}Mi`,
    look: () => {
      const size = cluster.volume(volumeName())?.spec?.capacity?.['storage'];
      return size === `${grownMebibytes}Mi` ? found(size) : notYet(`${size}`);
    },
    detail: (size) => `64Mi → ${size}; its file system is to follow`,
  });
}

async function seeClaimGrown({ cluster, claimName, step }: Scene): Promise<void> {
  await step({
    title: 'claim has grown',
    what: `claim ${claimName} with a capacity of ${grownMebibytes}Mi`,
    look: () => {
      const status = cluster.claim(claimName)?.status;
      const size = status?.capacity?.['storage'];
      if (size === `${grownMebibytes}Mi`) return found(size);
      return notYet(`${size}, conditions ${JSON.stringify(status?.conditions)}`);
    },
    detail: (size) => `64Mi → ${size}`,
  });
}

async function seeDfGrown(scene: Scene, before: number): Promise<void> {
  await scene.step({
    title: 'df in the pod shows it',
    what: `df of most of ${grownMebibytes} MiB`,
    look: async () => {
      const size = await dfInPod(scene);
      // ext4 keeps some of its device for itself; less than a fifth, even of one this small.
      return size > grownMebibytes * 2 ** 20 * 0.8 ? found(size) : notYet(`${size} bytes`);
    },
    detail: (size) => `${mebibytes(before)} → ${mebibytes(size)}`,
  });
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

async function dfInPod({ cluster, podName }: Scene): Promise<number> {
  const log = await cluster.podLog(podName);
  return Number([...log.matchAll(/^df\s+(\d+)$/gm)].at(-1)?.[1] ?? 0);
}
