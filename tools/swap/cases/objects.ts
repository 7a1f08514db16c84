// The objects of the cases, and what is waited for.
import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  type VolumeAttachment,
  volumeAttachments,
} from '@holdfast/kube';
import type { CaseStage } from '../case.ts';

export const secret = (name: string): string => `
---
apiVersion: v1
kind: Secret
metadata: {name: ${name}, namespace: $namespace}
stringData: {user: ${name}-user, key: ${name}-key}`;

export interface ClassParts {
  readonly binding?: 'Immediate' | 'WaitForFirstConsumer';
  readonly reclaim?: 'Delete' | 'Retain';
  readonly parameters?: Readonly<Record<string, string>>;
  readonly mountOptions?: readonly string[];
  readonly zones?: readonly string[];
  /** Default: the driver. */
  readonly provisioner?: string;
}

/** Classes belong to no namespace: each case names its own. */
export function storageClass(name: string, parts: ClassParts = {}): string {
  const terms = (parts.zones ?? []).map((zone) => ({ matchLabelExpressions: [{ key: zoneLabel, values: [zone] }] }));
  return document({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner: parts.provisioner ?? '$driver',
    volumeBindingMode: parts.binding ?? 'Immediate',
    reclaimPolicy: parts.reclaim ?? 'Delete',
    allowVolumeExpansion: true,
    parameters: parts.parameters ?? {},
    mountOptions: parts.mountOptions ?? [],
    ...(terms.length === 0 ? {} : { allowedTopologies: terms }),
  });
}

/** Classes belong to no namespace; only one case runs at a time. */
export function attributesClass(name: string, iops: string): string {
  return document({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttributesClass',
    metadata: { name },
    driverName: '$driver',
    parameters: { iops },
  });
}

export interface ClaimParts {
  readonly className: string;
  readonly size?: string;
  readonly modes?: readonly string[];
  readonly isBlock?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
}

export function claim(name: string, parts: ClaimParts): string {
  return document({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: '$namespace', annotations: parts.annotations ?? {} },
    spec: {
      storageClassName: parts.className,
      accessModes: parts.modes ?? ['ReadWriteOnce'],
      volumeMode: parts.isBlock ? 'Block' : 'Filesystem',
      resources: { requests: { storage: parts.size ?? '1Gi' } },
      ...parts.spec,
    },
  });
}

export const zoneLabel = 'topology.swap.holdfast/zone';

/** What a driver's deployment brings along. */
export const driverObject = `
---
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: {name: $driver}
spec: {attachRequired: true, podInfoOnMount: false}`;

/** A node that has the driver, as kubelet and the registrar would have made it. */
/** The driver knows a node by a name of its own. */
export const nodeIdOf = (name: string): string => `id-of-${name}`;

export function node(name: string, zone: string): string {
  const labels = { [zoneLabel]: zone };
  const drivers = [{ name: '$driver', nodeID: nodeIdOf(name), topologyKeys: [zoneLabel] }];
  return (
    document({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels } }) +
    document({ apiVersion: 'storage.k8s.io/v1', kind: 'CSINode', metadata: { name }, spec: { drivers } })
  );
}

/** Without a namespace of its own: named after the claim, and only one case runs at a time. */
export function attachment(name: string, volume: string, nodeName: string): string {
  return document({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name },
    spec: { attacher: '$driver', nodeName, source: { persistentVolumeName: volume } },
  });
}

function document(object: unknown): string {
  return `\n---\n${JSON.stringify(object)}`;
}

export function untilBound(stage: CaseStage, name: string): Promise<PersistentVolume> {
  return stage.until(`claim ${name} bound`, async () => {
    const found = await stage.look(persistentVolumeClaims, { namespace: stage.namespace, name });
    if (found?.status?.phase !== 'Bound') return undefined;
    const volume = await stage.look(persistentVolumes, { name: found.spec?.volumeName ?? '' });
    return volume?.status?.phase === 'Bound' ? volume : undefined;
  });
}

export function untilClaim(
  stage: CaseStage,
  name: string,
  what: string,
  isSo: (found: PersistentVolumeClaim) => boolean,
): Promise<PersistentVolumeClaim> {
  return stage.until(`claim ${name} ${what}`, async () => {
    const found = await stage.look(persistentVolumeClaims, { namespace: stage.namespace, name });
    return found !== undefined && isSo(found) ? found : undefined;
  });
}

export async function deleteClaim(stage: CaseStage, name: string): Promise<void> {
  await stage.client.delete(persistentVolumeClaims, { namespace: stage.namespace, name });
  await stage.until(`claim ${name} gone`, async () =>
    (await stage.look(persistentVolumeClaims, { namespace: stage.namespace, name })) === undefined ? true : undefined,
  );
}

export function untilVolumeGone(stage: CaseStage, name: string): Promise<true> {
  return stage.until(`volume ${name} gone`, async () =>
    (await stage.look(persistentVolumes, { name })) === undefined ? true : undefined,
  );
}

/** The claim, and with it the volume. */
export async function deleteBoth(stage: CaseStage, name: string): Promise<void> {
  const found = await stage.look(persistentVolumeClaims, { namespace: stage.namespace, name });
  const volume = found?.spec?.volumeName;
  await deleteClaim(stage, name);
  if (volume !== undefined) await untilVolumeGone(stage, volume);
}

export function untilAttachment(
  stage: CaseStage,
  name: string,
  what: string,
  isSo: (found: VolumeAttachment) => boolean,
): Promise<VolumeAttachment> {
  return stage.until(`attachment ${name} ${what}`, async () => {
    const found = await stage.look(volumeAttachments, { name });
    return found !== undefined && isSo(found) ? found : undefined;
  });
}

export const isAttached = (found: VolumeAttachment): boolean => found.status?.attached === true;

export async function detach(stage: CaseStage, name: string): Promise<void> {
  await stage.client.delete(volumeAttachments, { name });
  await stage.until(`attachment ${name} gone`, async () =>
    (await stage.look(volumeAttachments, { name })) === undefined ? true : undefined,
  );
}

/** An event on an object of the case, by reason. */
export function untilCalled(stage: CaseStage, method: string, times = 1): Promise<true> {
  return stage.until(`${method} called ${times} times`, async () =>
    stage.driver.calls.filter((call) => call.method === method).length >= times ? true : undefined,
  );
}
