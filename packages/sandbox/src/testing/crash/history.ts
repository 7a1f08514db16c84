import { compareQuantities, parseQuantity } from '@holdfast/core';
import { type PersistentVolume, persistentVolumeClaims, persistentVolumes, volumeAttachments } from '@holdfast/kube';
import type { ScriptedCall, ScriptedDriver } from '../scripted-driver.ts';
import type { TestCluster } from '../test-cluster.ts';

/**
 * Watches every call and write, and says where one of these does not hold:
 *
 * - I1 at rest, the driver has the volumes that PersistentVolumes name, and no other
 * - I2 a volume is deleted only when its PersistentVolume is released, to be deleted and not attached, or there is none
 * - I3 a volume is not published to a second node
 * - I4 a PersistentVolume names a volume that the driver has
 * - I5 at rest, nothing waits for a finalizer
 * - I6 one call of a kind for a volume at a time, and no creation beside a deletion
 * - I7 a claim has no more capacity than its volume
 * - I8 a repeated CreateVolume is the same as the first, to the byte
 */
export interface History {
  readonly violations: readonly string[];
  /** Checks what holds at rest. Call it when everything is expected to have come to its end. */
  checkRest(): Promise<void>;
}

export function createHistory(deps: { cluster: TestCluster; driver: ScriptedDriver }): History {
  const { cluster, driver } = deps;
  const { client } = cluster;
  const violations: string[] = [];
  const firstRequests = new Map<string, string>();
  const running = new Map<string, Set<string>>();

  async function volumeObjects(): Promise<PersistentVolume[]> {
    return (await client.list(persistentVolumes)).items;
  }

  async function checkDelete(volumeId: string): Promise<void> {
    const owner = (await volumeObjects()).find(({ spec }) => spec?.csi?.volumeHandle === volumeId);
    if (!owner) return;
    const { name } = owner.metadata;
    const policy = owner.spec?.persistentVolumeReclaimPolicy;
    if (owner.status?.phase !== 'Released' || policy !== 'Delete') {
      violations.push(`I2: DeleteVolume of ${volumeId}, whose ${name} is ${owner.status?.phase} with policy ${policy}`);
    }
    const { items } = await client.list(volumeAttachments);
    const attached = items.filter(({ spec }) => spec.source.persistentVolumeName === name);
    if (attached.length > 0) violations.push(`I2: DeleteVolume of ${volumeId}, which is still attached`);
  }

  function checkRepetition(request: unknown, name: string): void {
    const text = JSON.stringify(request, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
    const first = firstRequests.get(name);
    if (first === undefined) firstRequests.set(name, text);
    else if (first !== text)
      violations.push(`I8: CreateVolume ${name} is not repeated as it was: ${first} then ${text}`);
  }

  function checkPublished(volumeId: string, nodeId: string): void {
    const others = [...(driver.volumes.get(volumeId)?.publishedTo ?? [])].filter((node) => node !== nodeId);
    if (others.length > 0) violations.push(`I3: ${volumeId} is published to ${nodeId} and to ${others.join(', ')}`);
  }

  async function check({ method, request }: ScriptedCall): Promise<void> {
    const { name, volumeId, nodeId } = namesIn(request);
    if (method === 'CreateVolume') checkRepetition(request, name);
    if (method === 'ControllerPublishVolume') checkPublished(volumeId, nodeId);
    if (method === 'DeleteVolume') await checkDelete(volumeId);
  }

  driver.around(async (call, proceed) => {
    const { name, volumeId } = namesIn(call.request);
    const volume = name === '' ? (driver.volumes.get(volumeId)?.name ?? volumeId) : name;
    if (volume === '') return await proceed();
    const methods = running.get(volume) ?? new Set<string>();
    const clash = [...methods].filter((other) => other === call.method || isLifeAndDeath(other, call.method));
    if (clash.length > 0) violations.push(`I6: ${call.method} of ${volume} beside ${clash.join(', ')}`);
    running.set(volume, methods.add(call.method));
    try {
      await check(call);
      return await proceed();
    } finally {
      methods.delete(call.method);
    }
  });

  cluster.intercept(({ verb, resource, body, userAgent }) => {
    if (verb !== 'create' || resource !== 'persistentvolumes' || userAgent.startsWith('test/')) return undefined;
    const handle = handleIn(body);
    if (handle !== undefined && !driver.volumes.has(handle)) {
      violations.push(`I4: a PersistentVolume for ${handle}, which the driver does not have`);
    }
    return undefined;
  });

  return {
    violations,
    async checkRest() {
      const volumes = await volumeObjects();
      const claims = (await client.list(persistentVolumeClaims)).items;
      const handles = new Set(volumes.flatMap(({ spec }) => spec?.csi?.volumeHandle ?? []));
      for (const id of driver.volumes.keys()) {
        if (!handles.has(id)) violations.push(`I1: the driver has ${id}, which no PersistentVolume names`);
      }
      for (const handle of handles) {
        if (!driver.volumes.has(handle))
          violations.push(`I4: the driver does not have ${handle}, which a volume names`);
      }
      const { items: attachments } = await client.list(volumeAttachments);
      for (const { kind = '', metadata } of [...volumes, ...claims, ...attachments]) {
        if (metadata.deletionTimestamp === undefined) continue;
        violations.push(`I5: ${kind} ${metadata.name} is to go and is held by ${metadata.finalizers?.join(', ')}`);
      }
      for (const { metadata, spec, status } of claims) {
        const volume = volumes.find((each) => each.metadata.name === spec?.volumeName);
        const has = status?.capacity?.['storage'];
        const offered = volume?.spec?.capacity?.['storage'];
        if (has === undefined || offered === undefined) continue;
        if (compareQuantities(parseQuantity(has), parseQuantity(offered)) > 0) {
          violations.push(`I7: claim ${metadata.name} has ${has}, its volume ${offered}`);
        }
      }
    },
  };
}

function isLifeAndDeath(a: string, b: string): boolean {
  return (a === 'CreateVolume' && b === 'DeleteVolume') || (a === 'DeleteVolume' && b === 'CreateVolume');
}

function textAt(value: unknown, key: string): string {
  if (typeof value !== 'object' || value === null) return '';
  const found: unknown = Reflect.get(value, key);
  return typeof found === 'string' ? found : '';
}

function namesIn(request: unknown): { name: string; volumeId: string; nodeId: string } {
  return { name: textAt(request, 'name'), volumeId: textAt(request, 'volumeId'), nodeId: textAt(request, 'nodeId') };
}

function handleIn(body: unknown): string | undefined {
  const spec: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'spec') : undefined;
  const csi: unknown = typeof spec === 'object' && spec !== null ? Reflect.get(spec, 'csi') : undefined;
  return textAt(csi, 'volumeHandle') || undefined;
}
