import * as z from 'zod';
import { dropped, mapParameters, placesToCsi, toFsType } from './class-parameters.ts';
import { partitionOf } from './partition.ts';
import { type CsiSource, csiOf, type InTreePlugin, MigrationError, readSource, whenSet, withSource } from './plugin.ts';
import { oneRegion, zonesToCsi, zonesToInTree } from './topology.ts';

const DRIVER = 'ebs.csi.aws.com';
const ZONE_KEY = 'topology.ebs.csi.aws.com/zone';
const field = 'awsElasticBlockStore';

const sourceSchema = z.object({
  volumeID: z.string().default(''),
  fsType: z.string().optional(),
  partition: z.number().int().default(0),
  readOnly: z.boolean().optional(),
});

function csiSource(given: unknown): CsiSource {
  const { volumeID, fsType, partition, readOnly } = readSource(sourceSchema, field, given);
  return {
    driver: DRIVER,
    volumeHandle: ebsVolumeId(volumeID),
    ...whenSet({ readOnly, fsType }),
    volumeAttributes: { partition: String(partition) },
  };
}

export const awsEbs: InTreePlugin = {
  inTreeName: 'kubernetes.io/aws-ebs',
  driverName: DRIVER,
  field,
  readsLabels: true,
  readsAnnotations: [],
  toCsi(volume) {
    const csi = csiSource(volume.spec[field]);
    return { ...volume, spec: withSource(zonesToCsi(volume, ZONE_KEY), field, csi) };
  },
  toInTree(volume) {
    const { volumeHandle, fsType, readOnly, volumeAttributes } = csiOf(volume);
    const partition = partitionOf(volumeAttributes);
    const placed = zonesToInTree(volume, ZONE_KEY, (zones) => oneRegion(zones, regionOf));
    const { csi: _, ...spec } = placed.spec;
    return {
      ...placed,
      spec: { ...spec, [field]: { volumeID: volumeHandle, ...whenSet({ fsType, partition, readOnly }) } },
    };
  },
  classToCsi: (storageClass) => ({
    allowedTopologies: placesToCsi(storageClass, ZONE_KEY),
    parameters: mapParameters(storageClass.parameters, {
      fstype: toFsType,
      zone: dropped,
      zones: dropped,
      // The plug-in raised what is below the least that AWS grants; the driver does so when it is told to.
      iopspergb: (key, value) => ({ [key]: value, allowautoiopspergbincrease: 'true' }),
    }),
  }),
  inlineToCsi(volume) {
    const csi = csiSource(volume[field]);
    return {
      metadata: { name: `${DRIVER}-${csi.volumeHandle}` },
      spec: { csi, accessModes: ['ReadWriteOnce'] },
    };
  },
};

/** `aws://zone/vol-1`, `aws:///vol-1` and `vol-1` (kubernetes/kubernetes#73730) as `vol-1`. @throws MigrationError */
function ebsVolumeId(id: string): string {
  if (!id.startsWith('aws://')) return id;
  const refuse = (): never => {
    throw new MigrationError(`volumeID "${id}" is not one of AWS: aws://ZONE/vol-ID or vol-ID is wanted`);
  };
  const match = /^aws:\/\/([^/?#]*)(\/[^?#]*)?(?:[?#].*)?$/.exec(id) ?? refuse();
  const [, host = '', path = ''] = match;
  if (!/^[\w.~$&+,;=!'()*<>"-]*(:[0-9]*)?$/.test(host)) refuse();
  const volumeId = decoded(path)?.replace(/^\/+|\/+$/g, '') ?? refuse();
  return /^vol-[^/]*$/.test(volumeId) ? volumeId : refuse();
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** `us-west-2a` and `us-gov-east-1a`, local zones `us-west-2-lax-1a`, Wavelength `us-east-1-wl1-bos-wlz-1`. */
function regionOf(zone: string): string {
  const parts = zone.split('-');
  const last = parts.at(-1) ?? '';
  if ((parts.length === 3 || parts.length === 4) && last.length === 2) return zone.slice(0, -1);
  if (parts.length === 5 || parts.length === 7) return parts.slice(0, 3).join('-');
  throw new MigrationError(`"${zone}" is not a zone of AWS, so its region is unknown`);
}
