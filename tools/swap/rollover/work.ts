// Work for one sidecar on many objects at once: what starts it, and how far it is.
import {
  type KubeClient,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  volumeAttachments,
} from '@holdfast/kube';
import type { Cluster, SidecarName } from '../../rig/contract.ts';
import { attachment, claim, driverObject, node, storageClass } from '../cases/objects.ts';

export const namespace = 'rollover';
export const objectCount = 40;

export interface Work {
  readonly title: string;
  /** The call of the driver that is made once for each object. */
  readonly method:
    | 'CreateVolume'
    | 'DeleteVolume'
    | 'ControllerPublishVolume'
    | 'ControllerUnpublishVolume'
    | 'ControllerExpandVolume';
  begin(): Promise<void>;
  /** The volumes of which the API says that it is done. */
  done(): Promise<ReadonlySet<string>>;
}

export interface WorkPlace {
  readonly cluster: Cluster;
  readonly driverName: string;
}

const claimNames = Array.from({ length: objectCount }, (_, index) => `data-of-${index}`);
const claimsOf = (size: string): string =>
  claimNames.map((name) => claim(name, { className: namespace, size })).join('');

function applyFor({ cluster, driverName }: WorkPlace): (yaml: string) => Promise<void> {
  return (yaml) => cluster.apply(yaml.replaceAll('$driver', driverName).replaceAll('$namespace', namespace));
}

/** The class, the node and, where the work begins with volumes, those. */
export async function prepare(place: WorkPlace, about: SidecarName): Promise<void> {
  const apply = applyFor(place);
  await apply(`{apiVersion: v1, kind: Namespace, metadata: {name: $namespace}}${driverObject}${node('node-a', 'a')}`);
  await apply(storageClass(namespace));
  if (about !== 'provisioner') await apply(claimsOf('1Gi'));
}

/** Two pieces of work for a sidecar, the second of which takes up where the first has ended. */
export function worksOf(about: SidecarName, place: WorkPlace): readonly [Work, Work] {
  const { client } = place.cluster;
  const apply = applyFor(place);
  /** What the second work takes away. */
  const there = new Set<string>();
  switch (about) {
    case 'provisioner':
      return [
        {
          title: 'provisioning',
          method: 'CreateVolume',
          begin: () => apply(claimsOf('1Gi')),
          done: async () => new Set((await claims(client)).filter(isBound).map(volumeOf)),
        },
        {
          title: 'deleting',
          method: 'DeleteVolume',
          async begin() {
            for (const { metadata } of (await client.list(persistentVolumes)).items) there.add(metadata.name);
            for (const name of claimNames) await client.delete(persistentVolumeClaims, { namespace, name });
          },
          async done() {
            const { items } = await client.list(persistentVolumes);
            return without(
              there,
              items.map(({ metadata }) => metadata.name),
            );
          },
        },
      ];
    case 'attacher':
      return [
        {
          title: 'attaching',
          method: 'ControllerPublishVolume',
          async begin() {
            const volumes = (await claims(client)).map(({ spec }) => spec?.volumeName ?? '');
            await apply(volumes.map((name) => attachment(`va-${name}`, name, 'node-a')).join(''));
          },
          async done() {
            const { items } = await client.list(volumeAttachments);
            const attached = items.filter(({ status }) => status?.attached === true);
            return new Set(attached.map(({ spec }) => spec?.source?.persistentVolumeName ?? ''));
          },
        },
        {
          title: 'detaching',
          method: 'ControllerUnpublishVolume',
          async begin() {
            const { items } = await client.list(volumeAttachments);
            for (const { spec } of items) there.add(spec?.source?.persistentVolumeName ?? '');
            for (const { metadata } of items) await client.delete(volumeAttachments, { name: metadata.name });
          },
          async done() {
            const { items } = await client.list(volumeAttachments);
            return without(
              there,
              items.map(({ spec }) => spec?.source?.persistentVolumeName ?? ''),
            );
          },
        },
      ];
    case 'resizer':
      return [growing('2Gi'), growing('3Gi')];
    default:
      return about satisfies never;
  }

  function growing(size: string): Work {
    return {
      title: `growing to ${size}`,
      method: 'ControllerExpandVolume',
      begin: () => apply(claimsOf(size)),
      async done() {
        const grown = (await claims(client)).filter(({ status }) => {
          return status?.capacity?.storage === size && status.conditions === undefined;
        });
        return new Set(grown.map(volumeOf));
      },
    };
  }
}

async function claims(client: KubeClient): Promise<readonly PersistentVolumeClaim[]> {
  return (await client.list(persistentVolumeClaims, { namespace })).items;
}

const isBound = ({ status }: PersistentVolumeClaim): boolean => status?.phase === 'Bound';
// The slow driver calls a volume what it was asked to.
const volumeOf = ({ spec }: PersistentVolumeClaim): string => spec?.volumeName ?? '';

function without(all: ReadonlySet<string>, left: readonly string[]): ReadonlySet<string> {
  return new Set([...all].filter((each) => !left.includes(each)));
}
