import { persistentVolumes, type VolumeAttachment, volumeAttachments } from '@holdfast/kube';
import type { CrashRig } from '@holdfast/sandbox/testing';
import { ifFound } from './cluster.ts';
import { until } from './wait.ts';

interface Place {
  /** The name of its PersistentVolume. */
  readonly volume: string;
  readonly node: string;
}

let made = 0;

/** A volume of one node in the driver, and its PersistentVolume. @returns the name of both */
export async function addVolume(rig: CrashRig): Promise<string> {
  const { client } = rig.cluster;
  made += 1;
  const name = `pv-${made}`;
  const volumeHandle = rig.driver.addVolume(name);
  await client.create(persistentVolumes, {
    metadata: { name },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      csi: {
        driver: rig.driver.name,
        volumeHandle,
        controllerPublishSecretRef: { name: 'publish', namespace: 'default' },
      },
    },
  });
  await letGo(rig, name);
  return name;
}

/** Takes off what the API server's admission has put on for kube-controller-manager, which does not run here. */
async function letGo({ cluster: { client } }: CrashRig, name: string): Promise<void> {
  await client.patch(persistentVolumes, { name }, { kind: 'merge', body: { metadata: { finalizers: null } } });
}

export async function addAttachment({ cluster: { client }, driver }: CrashRig, place: Place): Promise<string> {
  made += 1;
  const name = `va-${made}`;
  const source = { persistentVolumeName: place.volume };
  await client.create(volumeAttachments, {
    metadata: { name },
    spec: { attacher: driver.name, nodeName: place.node, source },
  });
  return name;
}

/** Whether it is attached by its status, and in the driver as well. */
export function isAttached({ driver }: CrashRig, { spec, status }: VolumeAttachment): boolean {
  const volume = driver.volumes.get(`vol-${spec.source.persistentVolumeName}`);
  return status?.attached === true && volume?.publishedTo.has(`id-of-${spec.nodeName}`) === true;
}

/** @returns the name of the VolumeAttachment */
export async function attach(rig: CrashRig, place: Place, signal: AbortSignal): Promise<string> {
  const name = await addAttachment(rig, place);
  await until(`${name} is attached`, signal, async () => {
    const found = await ifFound(rig.cluster.client.get(volumeAttachments, { name }));
    return found !== undefined && isAttached(rig, found);
  });
  return name;
}

export async function detach({ cluster: { client } }: CrashRig, name: string, signal: AbortSignal): Promise<void> {
  await ifFound(client.delete(volumeAttachments, { name }));
  await until(`${name} is gone`, signal, async () => {
    return (await ifFound(client.get(volumeAttachments, { name }))) === undefined;
  });
}

/** Deletes the PersistentVolume, and what is behind it once it is gone. */
export async function dropVolume(rig: CrashRig, name: string, signal: AbortSignal): Promise<void> {
  const { client } = rig.cluster;
  await ifFound(client.delete(persistentVolumes, { name }));
  await until(`${name} is gone`, signal, async () => {
    return (await ifFound(client.get(persistentVolumes, { name }))) === undefined;
  });
  rig.driver.removeVolume(`vol-${name}`);
}
