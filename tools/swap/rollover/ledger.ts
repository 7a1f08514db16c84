// What the driver has against what the API says it has: a volume that only the driver knows is a leak.
import { parseQuantity, quantityToBytes } from '@holdfast/core';
import { type PersistentVolume, persistentVolumes, type VolumeAttachment, volumeAttachments } from '@holdfast/kube';
import type { Cluster } from '../../rig/contract.ts';
import { nodeIdOf } from '../cases/objects.ts';
import type { Ledger } from './slow-driver.ts';

export async function ledgerProblems(ledger: Ledger, { client }: Cluster): Promise<string[]> {
  const [volumes, attachments] = await Promise.all([client.list(persistentVolumes), client.list(volumeAttachments)]);
  return disagreements(ledger, volumes.items, attachments.items);
}

/** The volumes must be called the same in both, as the slow driver does. Pure. */
export function disagreements(
  ledger: Ledger,
  volumes: readonly PersistentVolume[],
  attachments: readonly VolumeAttachment[],
): string[] {
  const driver = new Set(
    [...ledger].flatMap(([id, { sizeBytes, nodes }]) => [
      `volume ${id} of ${sizeBytes} bytes`,
      ...[...nodes].map((node) => `volume ${id} attached to ${node}`),
    ]),
  );
  const api = new Set([
    ...volumes.map(({ metadata, spec }) => {
      return `volume ${metadata.name} of ${quantityToBytes(parseQuantity(spec?.capacity?.['storage'] ?? '0'))} bytes`;
    }),
    ...attachments
      .filter(({ status }) => status?.attached === true)
      .map(({ spec }) => `volume ${spec?.source?.persistentVolumeName} attached to ${nodeIdOf(spec?.nodeName ?? '')}`),
  ]);
  return [
    ...[...driver].filter((line) => !api.has(line)).map((line) => `the driver has a ${line}, the API has not`),
    ...[...api].filter((line) => !driver.has(line)).map((line) => `the API has a ${line}, the driver has not`),
  ];
}
