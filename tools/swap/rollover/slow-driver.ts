// A driver that takes its time, so that a sidecar can be stopped in the middle of its calls, and that knows what it has.
import { setTimeout as sleep } from 'node:timers/promises';
import { rpcError } from '@holdfast/rpc';
import type { ScriptedDriver } from '@holdfast/sandbox/testing';

/** Its volumes by id: the size, and the nodes they are attached to. */
export type Ledger = ReadonlyMap<string, { readonly sizeBytes: bigint; readonly nodes: ReadonlySet<string> }>;

const answerMs = 300;
const zones = [{ segments: { 'topology.swap.holdfast/zone': 'a' } }];

/** From now on the driver is slow. @returns its own list, which it changes when it answers */
export function slowDown(driver: ScriptedDriver): Ledger {
  const volumes = new Map<string, { sizeBytes: bigint; nodes: Set<string> }>();
  const known = (volumeId: string): { sizeBytes: bigint; nodes: Set<string> } => {
    const volume = volumes.get(volumeId);
    if (volume === undefined) throw rpcError('NotFound', `there is no volume ${volumeId}`);
    return volume;
  };
  driver.on('CreateVolume', async ({ name, capacityRange }) => {
    await sleep(answerMs);
    const capacityBytes = capacityRange?.requiredBytes ?? 0n;
    if (!volumes.has(name)) volumes.set(name, { sizeBytes: capacityBytes, nodes: new Set() });
    const volume = { volumeId: name, capacityBytes, volumeContext: {}, contentSource: undefined };
    return { volume: { ...volume, accessibleTopology: zones } };
  });
  driver.on('DeleteVolume', async ({ volumeId }) => {
    await sleep(answerMs);
    volumes.delete(volumeId);
    return {};
  });
  driver.on('ControllerPublishVolume', async ({ volumeId, nodeId }) => {
    await sleep(answerMs);
    known(volumeId).nodes.add(nodeId);
    return { publishContext: {} };
  });
  driver.on('ControllerUnpublishVolume', async ({ volumeId, nodeId }) => {
    await sleep(answerMs);
    volumes.get(volumeId)?.nodes.delete(nodeId);
    return {};
  });
  driver.on('ControllerExpandVolume', async ({ volumeId, capacityRange }) => {
    await sleep(answerMs);
    const capacityBytes = capacityRange?.requiredBytes ?? 0n;
    known(volumeId).sizeBytes = capacityBytes;
    return { capacityBytes, nodeExpansionRequired: false };
  });
  return volumes;
}
