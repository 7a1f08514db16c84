import { found, notYet } from '../expect.ts';
import { mountsBelow } from '../machine.ts';
import type { Scene } from './scene.ts';

/** Staging and target paths as kubelet names them, seen in the kernel's own table of mounts. */
export async function mount(scene: Scene): Promise<void> {
  if (scene.backend === 'disk') {
    scene.strike('stage');
    await seeMount(scene, 'staged', (path) => path.endsWith('/globalmount'));
  }
  scene.strike('publish');
  await seeMount(scene, 'published', (path) => path.includes('/volumes/kubernetes.io~csi/'));
}

async function seeMount(
  { places, cluster, podName, step }: Scene,
  title: string,
  isIt: (path: string) => boolean,
): Promise<void> {
  await step({
    title,
    what: `the volume to be ${title}`,
    look: () => {
      const path = mountsBelow(places.kubeletRoot).find(isIt);
      return path === undefined ? notYet(`no such mount; pod is ${cluster.pod(podName)?.status?.phase}`) : found(path);
    },
    detail: (path) => path.slice(places.work.length + 1),
  });
}
