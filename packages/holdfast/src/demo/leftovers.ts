import type { Cluster } from './cluster.ts';
import { loopDevicesBelow, mountsBelow, poolEntries } from './machine.ts';
import { type Backend, type Places, poolDir } from './programs.ts';

export interface Leftover {
  what: string;
  names: readonly string[];
}

/** Everything a claim's life could leave behind, in the API and on the machine. */
export function findLeftovers(cluster: Cluster, places: Places, backend: Backend): Leftover[] {
  const objects = [...cluster.claims(), ...cluster.volumes(), ...cluster.attachments(), ...cluster.pods()];
  const names = (list: readonly { metadata: { name: string } }[]): string[] =>
    list.map((object) => object.metadata.name);
  return [
    { what: 'volumes in the pool', names: poolEntries(poolDir(places, backend)) },
    { what: 'claims', names: names(cluster.claims()) },
    { what: 'PersistentVolumes', names: names(cluster.volumes()) },
    { what: 'VolumeAttachments', names: names(cluster.attachments()) },
    { what: 'pods', names: names(cluster.pods()) },
    { what: 'finalizers', names: objects.flatMap((object) => object.metadata.finalizers ?? []) },
    { what: 'mounts', names: mountsBelow(places.work) },
    { what: 'loop devices', names: loopDevicesBelow(places.work) },
  ];
}

export function summarize(leftovers: readonly Leftover[]): string {
  return leftovers.map(({ what, names }) => `${names.length} ${what}`).join(', ');
}

export function describeFound(leftovers: readonly Leftover[]): string {
  return leftovers
    .filter(({ names }) => names.length > 0)
    .map(({ what, names }) => `${what}: ${names.join(', ')}`)
    .join('; ');
}
