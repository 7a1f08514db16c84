import type { PersistentVolume, PersistentVolumeClaim, Pod } from '@holdfast/kube';
import { uniqueVolumeName } from '../../loops/attaching/names.ts';
import { type ContentVolume, contentVolume } from '../content/content-volume.ts';
import { ephemeralHandle, type VolumeRef } from '../paths.ts';

export interface SecretRef {
  readonly namespace: string;
  readonly name: string;
}

/** Everything kubelet tells a driver about a volume. */
export interface CsiVolume extends VolumeRef {
  /** As `node.status.volumesInUse` names it. */
  readonly uniqueName: string;
  readonly isEphemeral: boolean;
  readonly isReadOnly: boolean;
  readonly accessModes: readonly string[];
  readonly fsType: string;
  readonly mountOptions: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly stageSecret: SecretRef | undefined;
  readonly publishSecret: SecretRef | undefined;
  readonly expandSecret: SecretRef | undefined;
  readonly claimKey: string | undefined;
}

/** One volume of a pod, as far as it can be told now. */
export type PodVolume =
  | { readonly kind: 'csi'; readonly name: string; readonly volume: CsiVolume; readonly isReadOnly: boolean }
  | { readonly kind: 'emptyDir'; readonly name: string }
  | { readonly kind: 'hostPath'; readonly name: string; readonly path: string }
  | { readonly kind: 'content'; readonly name: string; readonly content: ContentVolume }
  /** Not yet, and why. */
  | { readonly kind: 'waiting'; readonly name: string; readonly reason: string }
  | { readonly kind: 'unsupported'; readonly name: string; readonly reason: string };

export interface VolumeLookup {
  claim(key: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
}

type PodVolumeSource = NonNullable<NonNullable<Pod['spec']>['volumes']>[number];

export function volumesOfPod(pod: Pod, lookup: VolumeLookup): readonly PodVolume[] {
  return (pod.spec?.volumes ?? []).map((source) => podVolume(pod, source, lookup));
}

function podVolume(pod: Pod, source: PodVolumeSource, lookup: VolumeLookup): PodVolume {
  const { name } = source;
  if (source.persistentVolumeClaim !== undefined) {
    const { claimName, readOnly } = source.persistentVolumeClaim;
    return claimVolume(pod, name, claimName, readOnly === true, lookup);
  }
  if (source.ephemeral !== undefined) {
    return claimVolume(pod, name, `${pod.metadata.name}-${name}`, false, lookup);
  }
  if (source.csi !== undefined) {
    return { kind: 'csi', name, volume: inlineVolume(pod, name, source.csi), isReadOnly: source.csi.readOnly === true };
  }
  if (source.emptyDir !== undefined) {
    return { kind: 'emptyDir', name };
  }
  if (source.hostPath !== undefined) {
    return { kind: 'hostPath', name, path: source.hostPath.path };
  }
  const content = contentVolume(source);
  if (content !== undefined) {
    return typeof content === 'string'
      ? { kind: 'unsupported', name, reason: content }
      : { kind: 'content', name, content };
  }
  const type = Object.keys(source).find((key) => key !== 'name') ?? 'unknown';
  const reason = `volumes of type ${type} are not supported; use a claim, csi, emptyDir, hostPath, configMap, secret, downwardAPI or projected`;
  return { kind: 'unsupported', name, reason };
}

function claimVolume(pod: Pod, name: string, claimName: string, isReadOnly: boolean, lookup: VolumeLookup): PodVolume {
  const claimKey = `${pod.metadata.namespace ?? ''}/${claimName}`;
  const claim = lookup.claim(claimKey);
  if (claim === undefined) {
    return { kind: 'waiting', name, reason: `persistentvolumeclaim "${claimName}" not found` };
  }
  const volumeName = claim.spec?.volumeName ?? '';
  if (claim.status?.phase !== 'Bound' || volumeName === '') {
    return { kind: 'waiting', name, reason: `persistentvolumeclaim "${claimName}" is not bound` };
  }
  const volume = lookup.volume(volumeName);
  if (volume === undefined || volume.spec?.claimRef?.uid !== claim.metadata.uid) {
    return { kind: 'waiting', name, reason: `persistent volume "${volumeName}" is not bound to claim "${claimName}"` };
  }
  const csi = persistentCsiVolume(volume, claimKey);
  return csi === undefined
    ? { kind: 'unsupported', name, reason: `persistent volume "${volumeName}" is not a CSI volume` }
    : { kind: 'csi', name, volume: csi, isReadOnly };
}

export function persistentCsiVolume(volume: PersistentVolume, claimKey: string): CsiVolume | undefined {
  const csi = volume.spec?.csi;
  if (csi === undefined) {
    return undefined;
  }
  return {
    driver: csi.driver,
    handle: csi.volumeHandle,
    specName: volume.metadata.name,
    uniqueName: uniqueVolumeName(csi.driver, csi.volumeHandle),
    isBlock: volume.spec?.volumeMode === 'Block',
    isEphemeral: false,
    isReadOnly: csi.readOnly === true,
    accessModes: volume.spec?.accessModes ?? [],
    fsType: csi.fsType ?? '',
    mountOptions: volume.spec?.mountOptions ?? [],
    attributes: csi.volumeAttributes ?? {},
    stageSecret: secretRef(csi.nodeStageSecretRef),
    publishSecret: secretRef(csi.nodePublishSecretRef),
    expandSecret: secretRef(csi.nodeExpandSecretRef),
    claimKey,
  };
}

function inlineVolume(pod: Pod, name: string, csi: NonNullable<PodVolumeSource['csi']>): CsiVolume {
  const handle = ephemeralHandle(pod.metadata.uid, name);
  return {
    driver: csi.driver,
    handle,
    specName: name,
    uniqueName: uniqueVolumeName(csi.driver, handle),
    isBlock: false,
    isEphemeral: true,
    isReadOnly: csi.readOnly === true,
    accessModes: ['ReadWriteOnce'],
    fsType: csi.fsType ?? '',
    mountOptions: [],
    attributes: csi.volumeAttributes ?? {},
    stageSecret: undefined,
    publishSecret: secretRef({ ...csi.nodePublishSecretRef, namespace: pod.metadata.namespace ?? '' }),
    expandSecret: undefined,
    claimKey: undefined,
  };
}

function secretRef(ref: { readonly name?: string; readonly namespace?: string } | undefined): SecretRef | undefined {
  return ref?.name === undefined || ref.name === '' ? undefined : { name: ref.name, namespace: ref.namespace ?? '' };
}
