import { found, notYet } from '../expect.ts';
import { poolEntries } from '../machine.ts';
import { applyExample } from '../manifests.ts';
import { poolDir } from '../programs.ts';
import type { Scene } from './scene.ts';

export async function provisionForFirstConsumer(scene: Scene): Promise<void> {
  await applyExample(scene.cluster.client, scene.file('2-claim'), scene.signal);
  await seePending(scene, 'waits for its first consumer');
  await applyExample(scene.cluster.client, scene.file('3-pod'), scene.signal);
  scene.strike('create');
  await seeBound(scene);
  scene.strike('attach');
  await seeAttached(scene);
}

export async function provisionAtOnce(scene: Scene): Promise<void> {
  await applyExample(scene.cluster.client, scene.file('2-claim'), scene.signal);
  scene.strike('create');
  await seePending(scene, 'to be provisioned at once');
  await seeBound(scene);
  await applyExample(scene.cluster.client, scene.file('3-pod'), scene.signal);
}

async function seePending({ cluster, claimName, step }: Scene, why: string): Promise<void> {
  await step({
    title: 'claim is Pending',
    what: `claim ${claimName}`,
    look: () => (cluster.claim(claimName) ? found(true) : notYet('no such claim')),
    detail: () => why,
  });
}

async function seeBound({ backend, cluster, places, claimName, volumeName, step }: Scene): Promise<void> {
  await step({
    title: 'CreateVolume',
    what: "a volume in the driver's pool",
    look: () => {
      const entry = poolEntries(poolDir(places, backend)).find((path) => !path.endsWith('.tmp'));
      return entry === undefined ? notYet('an empty pool') : found(entry);
    },
    detail: (entry) => entry.slice(places.work.length + 1),
  });
  await step({
    title: 'PersistentVolume',
    what: `a PersistentVolume of claim ${claimName}`,
    look: () => {
      const volume = cluster.volumes().find((candidate) => candidate.spec?.claimRef?.name === claimName);
      return volume ? found(volume) : notYet('none');
    },
    detail: (volume) => volume.metadata.name,
  });
  await step({
    title: 'claim is Bound',
    what: `claim ${claimName} and its volume to be Bound`,
    look: () => {
      const phases = [cluster.claim(claimName)?.status?.phase, cluster.volume(volumeName())?.status?.phase];
      return phases.every((phase) => phase === 'Bound')
        ? found(true)
        : notYet(`claim ${phases[0]}, volume ${phases[1]}`);
    },
    detail: () => `${cluster.claim(claimName)?.status?.capacity?.['storage']}`,
  });
}

async function seeAttached({ cluster, volumeName, step }: Scene): Promise<void> {
  await step({
    title: 'attached',
    what: `a VolumeAttachment of ${volumeName()} that is attached`,
    look: () => {
      const attachment = cluster
        .attachments()
        .find((candidate) => candidate.spec?.source?.persistentVolumeName === volumeName());
      if (attachment?.status?.attached) return found(attachment);
      return notYet(attachment ? `not attached: ${attachment.status?.attachError?.message ?? 'no error'}` : 'none');
    },
    detail: (attachment) => `to ${attachment.spec?.nodeName}`,
  });
}
