// What a scenario waits for, in the words of Kubernetes.
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { PersistentVolume, Pod, VolumeAttachment } from '@holdfast/kube';
import type { Scene } from './scene.ts';
import { found, notYet } from './world.ts';

/** Claim and volume are Bound to each other. */
export function seeBound(scene: Scene, claimName: string): Promise<PersistentVolume> {
  return scene.world.until({
    what: `claim ${claimName} and its volume to be Bound`,
    look: () => {
      const claim = scene.claim(claimName);
      const volume = scene.volume(claim?.spec?.volumeName ?? '');
      if (claim?.status?.phase === 'Bound' && volume?.status?.phase === 'Bound') return found(volume);
      const said = scene.eventsOn(claimName).join('; ');
      return notYet(`claim ${claim?.status?.phase}, volume ${volume?.status?.phase}; events of the claim: ${said}`);
    },
  });
}

export function seeRunning(scene: Scene, podName: string): Promise<Pod> {
  return scene.world.until({
    what: `pod ${podName} to run`,
    look: () => {
      const pod = scene.pod(podName);
      if (pod?.status?.phase === 'Running') return found(pod);
      const said = scene.eventsOn(podName).join('; ');
      return notYet(`${pod?.status?.phase} on ${pod?.spec?.nodeName}; events of the pod: ${said}`);
    },
  });
}

export function seeAttached(scene: Scene, volumeName: string): Promise<VolumeAttachment> {
  return scene.world.until({
    what: `an attachment of ${volumeName} that is attached`,
    look: () => {
      const attachments = scene.attachmentsOf(volumeName);
      const attached = attachments.find(({ status }) => status?.attached);
      return attached ? found(attached) : notYet(JSON.stringify(attachments.map(({ spec, status }) => [spec, status])));
    },
  });
}

export async function seeDetached(scene: Scene, volumeName: string): Promise<void> {
  await scene.world.until({
    what: `no attachment of ${volumeName}`,
    look: () => {
      const left = scene.attachmentsOf(volumeName);
      if (left.length === 0) return found(true);
      return notYet(JSON.stringify(left.map(({ metadata, spec, status }) => [metadata, spec, status])));
    },
  });
}

export async function seePodGone(scene: Scene, podName: string): Promise<void> {
  await scene.world.until({
    what: `pod ${podName} to be gone`,
    look: () => (scene.pod(podName) === undefined ? found(true) : notYet(`${scene.pod(podName)?.status?.phase}`)),
  });
}

export async function seeVolumeGone(scene: Scene, volumeName: string): Promise<void> {
  await scene.world.until({
    what: `volume ${volumeName} to be gone`,
    look: () => {
      const volume = scene.volume(volumeName);
      if (volume === undefined) return found(true);
      return notYet(`${volume.status?.phase}, finalizers ${volume.metadata.finalizers?.join(', ')}`);
    },
  });
}

/** An event about an object whose reason and message match. */
export async function seeEvent(scene: Scene, object: string, pattern: RegExp): Promise<void> {
  await scene.world.until({
    what: `an event on ${object} that matches ${pattern}`,
    look: () => {
      const events = scene.eventsOn(object);
      return events.some((event) => pattern.test(event)) ? found(true) : notYet(events.join('; ') || 'no events');
    },
  });
}

/** The claim says that it has this size, and that nothing is left to do about it. */
export async function seeClaimGrown(scene: Scene, claimName: string, sizeMi: number): Promise<void> {
  await scene.world.until({
    what: `claim ${claimName} with a capacity of ${sizeMi}Mi`,
    look: () => {
      const status = scene.claim(claimName)?.status;
      const isGrown = status?.capacity?.['storage'] === `${sizeMi}Mi` && (status.conditions ?? []).length === 0;
      return isGrown ? found(true) : notYet(JSON.stringify(status));
    },
  });
}

/** The driver has grown the volume; its file system is to follow when it is next staged. */
export async function seeClaimWaitingForNode(scene: Scene, claimName: string): Promise<void> {
  await scene.world.until({
    what: `claim ${claimName} to wait for a node to grow its file system`,
    look: () => {
      const status = scene.claim(claimName)?.status;
      const isPending = status?.conditions?.some(({ type }) => type === 'FileSystemResizePending') ?? false;
      return isPending ? found(true) : notYet(JSON.stringify(status));
    },
  });
}

export async function seeVolumeGrown(scene: Scene, volumeName: string, sizeMi: number): Promise<void> {
  await scene.world.until({
    what: `volume ${volumeName} with a capacity of ${sizeMi}Mi`,
    look: () => {
      const capacity = scene.volume(volumeName)?.spec?.capacity?.['storage'];
      return capacity === `${sizeMi}Mi` ? found(true) : notYet(`${capacity}`);
    },
  });
}

/** Where a pod's volume is on this machine. Its file systems are seen from here as the pod sees them. */
export function placeOf(scene: Scene, pod: Pod): string {
  const volume = scene.claim(pod.spec?.volumes?.[0]?.persistentVolumeClaim?.claimName ?? '')?.spec?.volumeName ?? '';
  const { kubeletRoot } = scene.rig.node(pod.spec?.nodeName ?? '');
  return join(kubeletRoot, 'pods', pod.metadata.uid, 'volumes', 'kubernetes.io~csi', volume, 'mount');
}

/** A file that the pod wrote into its volume. */
export function seeFile(scene: Scene, pod: Pod, name: string, pattern: RegExp): Promise<string> {
  const path = join(placeOf(scene, pod), name);
  return scene.world.until({
    what: `file ${path} to match ${pattern}`,
    look: () => {
      const text = existsSync(path) ? readFileSync(path, 'utf8') : 'no such file';
      return pattern.test(text) ? found(text) : notYet(text);
    },
  });
}

export function sizeOfFileSystem(path: string): number {
  const { blocks, bsize } = statfsSync(path);
  return blocks * bsize;
}
