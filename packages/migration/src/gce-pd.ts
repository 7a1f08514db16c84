import * as z from 'zod';
import { dropped, mapParameters, placesToCsi, toFsType } from './class-parameters.ts';
import { partitionOf } from './partition.ts';
import { type CsiSource, csiOf, type InTreePlugin, MigrationError, readSource, whenSet, withSource } from './plugin.ts';
import { oneRegion, zoneLabels, zonesToCsi, zonesToInTree } from './topology.ts';

const DRIVER = 'pd.csi.storage.gke.io';
const ZONE_KEY = 'topology.gke.io/zone';
const field = 'gcePersistentDisk';

/** In place of what the in-tree source does not say; the driver puts in its own project, and looks for the disk's zone. */
const UNSPECIFIED = 'UNSPECIFIED';

const sourceSchema = z.object({
  pdName: z.string().default(''),
  fsType: z.string().optional(),
  partition: z.number().int().default(0),
  readOnly: z.boolean().optional(),
});

type Place = { readonly kind: 'zones' | 'regions'; readonly name: string };

function handleOf(project: string, { kind, name }: Place, disk: string): string {
  return `projects/${project}/${kind}/${name}/disks/${disk}`;
}

function csiSource(given: unknown, place: Place): CsiSource {
  const { pdName, fsType, partition, readOnly } = readSource(sourceSchema, field, given);
  return {
    driver: DRIVER,
    volumeHandle: handleOf(UNSPECIFIED, place, pdName),
    ...whenSet({ readOnly, fsType }),
    volumeAttributes: { partition: partition === 0 ? '' : String(partition) },
  };
}

function placeOf(zoneLabel: string): Place {
  const zones = zoneLabel.split('__');
  if (zones.length > 1) return { kind: 'regions', name: oneRegion(zones, regionOf) };
  return { kind: 'zones', name: zoneLabel === '' ? UNSPECIFIED : zoneLabel };
}

export const gcePd: InTreePlugin = {
  inTreeName: 'kubernetes.io/gce-pd',
  driverName: DRIVER,
  field,
  readsLabels: true,
  readsAnnotations: [],
  toCsi(volume) {
    const { labels, spec } = volume;
    const csi = csiSource(spec[field], placeOf(labels[zoneLabels.beta] || labels[zoneLabels.ga] || ''));
    const placed = withSource(zonesToCsi(volume, ZONE_KEY), field, csi);
    return { ...volume, spec: { ...placed, ...(spec.accessModes && { accessModes: enforceable(spec.accessModes) }) } };
  },
  toInTree(volume) {
    const { volumeHandle, fsType, readOnly, volumeAttributes } = csiOf(volume);
    const pdName = handleParts(volumeHandle).disk;
    const partition = volumeAttributes?.['partition'] === '' ? 0 : partitionOf(volumeAttributes);
    const placed = zonesToInTree(volume, ZONE_KEY, (zones) => oneRegion(zones, regionOf));
    const { csi: _, ...spec } = placed.spec;
    return { ...placed, spec: { ...spec, [field]: { pdName, ...whenSet({ fsType, partition, readOnly }) } } };
  },
  classToCsi: (storageClass) => ({
    allowedTopologies: placesToCsi(storageClass, ZONE_KEY),
    parameters: mapParameters(storageClass.parameters, { fstype: toFsType, zone: dropped, zones: dropped }),
  }),
  inlineToCsi(volume) {
    const source = readSource(sourceSchema, field, volume[field]);
    return {
      metadata: { name: `${DRIVER}-${source.pdName}` },
      spec: {
        csi: csiSource(source, { kind: 'zones', name: UNSPECIFIED }),
        accessModes: [source.readOnly ? 'ReadOnlyMany' : 'ReadWriteOnce'],
        volumeMode: 'Filesystem',
      },
    };
  },
  repairHandle(volumeHandle, nodeId) {
    const handle = handleParts(volumeHandle);
    if (handle.project !== UNSPECIFIED) return volumeHandle;
    const node = nodeId.split('/');
    const [, project = '', , nodeZone = ''] = node;
    if (node.length < 6) throw new MigrationError(`node id "${nodeId}" is not projects/P/zones/Z/instances/I`);
    const { kind, place, disk } = handle;
    const isOpen = place === UNSPECIFIED;
    switch (kind) {
      case 'zones':
        return handleOf(project, { kind, name: isOpen ? nodeZone : place }, disk);
      case 'regions':
        return handleOf(project, { kind, name: isOpen ? regionOf(nodeZone) : place }, disk);
      default:
        throw new MigrationError(`volume handle "${volumeHandle}" is neither of zones nor of regions`);
    }
  },
};

/** `projects/P/zones/Z/disks/D` or `projects/P/regions/R/disks/D`. @throws MigrationError */
function handleParts(handle: string): { project: string; kind: string; place: string; disk: string } {
  const [, project = '', kind = '', place = '', , disk] = handle.split('/');
  if (disk !== undefined) return { project, kind, place, disk };
  throw new MigrationError(
    `volume handle "${handle}" is not projects/P/zones/Z/disks/D or projects/P/regions/R/disks/D`,
  );
}

/**
 * The plug-in took any access mode and attached read-write to one node; the driver refuses what it cannot do
 * (kubernetes-csi/external-attacher#153).
 */
function enforceable(modes: readonly string[]): string[] {
  const isReadOnly =
    modes.includes('ReadOnlyMany') && !modes.includes('ReadWriteOnce') && !modes.includes('ReadWriteMany');
  return [isReadOnly ? 'ReadOnlyMany' : 'ReadWriteOnce'];
}

/** `us-central1-a` lies in `us-central1`. */
function regionOf(zone: string): string {
  const [locale, region, ...rest] = zone.split('-');
  if (rest.length === 1) return `${locale}-${region}`;
  throw new MigrationError(`"${zone}" is not a zone of Google Cloud, so its region is unknown`);
}
