import { found, notYet } from '../expect.ts';
import { describeFound, findLeftovers, summarize } from '../leftovers.ts';
import { deleteExample } from '../manifests.ts';
import type { Scene } from './scene.ts';

export async function deleteEverything(scene: Scene): Promise<void> {
  const { cluster, claimName, podName, signal, file, step } = scene;
  await deleteExample(cluster.client, file('3-pod'), signal);
  await deleteExample(cluster.client, file('2-claim'), signal);
  scene.strike('delete');
  await step({
    title: 'everything is deleted',
    what: 'pod, claim, PersistentVolume and VolumeAttachment to be gone',
    look: () => {
      const objects = [cluster.pod(podName), cluster.claim(claimName), ...cluster.volumes(), ...cluster.attachments()];
      const left = objects.filter((object) => object !== undefined).map(({ metadata }) => metadata);
      if (left.length === 0) return found(true);
      return notYet(left.map(({ name, finalizers }) => `${name} (finalizers: ${finalizers?.join(', ')})`).join('; '));
    },
    detail: () => 'pod, claim, PersistentVolume',
  });
}

export async function checkNothingIsLeft({ backend, cluster, places, report, step }: Scene): Promise<void> {
  const leftovers = await step({
    title: 'nothing is left',
    what: 'nothing left of the claim',
    look: () => {
      const leftovers = findLeftovers(cluster, places, backend);
      return leftovers.every(({ names }) => names.length === 0) ? found(leftovers) : notYet(describeFound(leftovers));
    },
  });
  report.note(summarize(leftovers));
}
