import type { Rig } from '../rig/contract.ts';
import { findLeft } from '../rig/left-behind.ts';
import type { World } from './world.ts';

/** What lies about on the machine: mounts, loop devices, and files of volumes in the pool. The rig's own programs are to run on. */
export function onMachine(rig: Rig): string[] {
  return findLeft(rig.folder).filter((line) => !line.startsWith('process '));
}

/** Objects of a namespace, and the volumes and attachments that its claims had. */
export function inCluster(world: World, namespace: string): string[] {
  const volumes = world.volumes().filter(({ spec }) => spec?.claimRef?.namespace === namespace);
  const names = new Set(volumes.map(({ metadata }) => metadata.name));
  const attachments = world.attachments().filter(({ spec }) => names.has(spec?.source?.persistentVolumeName ?? ''));
  return [
    ...named('pod', world.pods().filter(isIn(namespace))),
    ...named('claim', world.claims().filter(isIn(namespace))),
    ...named('volume', volumes),
    ...named('attachment', attachments),
  ];
}

interface Named {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly finalizers?: string[] };
}

function isIn(namespace: string): (object: Named) => boolean {
  return ({ metadata }) => metadata.namespace === namespace;
}

function named(kind: string, objects: readonly Named[]): string[] {
  return objects.map(
    ({ metadata }) => `${kind} ${metadata.name} (finalizers: ${metadata.finalizers?.join(', ') ?? 'none'})`,
  );
}
