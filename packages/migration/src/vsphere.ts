import * as z from 'zod';
import { mapParameters, toFsType } from './class-parameters.ts';
import {
  type CsiSource,
  csiOf,
  type InTreePlugin,
  readSource,
  type VolumeParts,
  whenSet,
  withSource,
} from './plugin.ts';
import { renameKey, requireZones, termsToCsi, usedLabels, valuesOf, withAffinity } from './topology.ts';

const DRIVER = 'csi.vsphere.vmware.com';
const ZONE_KEY = 'topology.csi.vmware.com/zone';
const REGION_KEY = 'topology.csi.vmware.com/region';
const field = 'vsphereVolume';

const POLICY = 'storagepolicyname';
/** In the attributes of a volume that was made for a class of the plug-in: the path, by which the plug-in knows it. */
const PATH_ATTRIBUTE = 'initialvolumefilepath';

/** What the plug-in's parameters are called in the driver. */
const migrated = [
  'datastore',
  'diskformat',
  'hostfailurestotolerate',
  'forceprovisioning',
  'cachereservation',
  'diskstripes',
  'objectspacereservation',
  'iopslimit',
];

const sourceSchema = z.object({
  volumePath: z.string().default(''),
  fsType: z.string().optional(),
  storagePolicyName: z.string().optional(),
});

function csiSource(given: unknown): CsiSource {
  const { volumePath, fsType, storagePolicyName } = readSource(sourceSchema, field, given);
  return {
    driver: DRIVER,
    volumeHandle: volumePath,
    ...whenSet({ fsType }),
    ...(storagePolicyName ? { volumeAttributes: { [POLICY]: storagePolicyName } } : {}),
  };
}

export const vsphere: InTreePlugin = {
  inTreeName: 'kubernetes.io/vsphere-volume',
  driverName: DRIVER,
  field,
  readsLabels: true,
  readsAnnotations: [],
  toCsi(volume) {
    const csi = csiSource(volume.spec[field]);
    const { zone, region } = usedLabels(volume);
    const zoned = placeToCsi(volume, zone, ZONE_KEY);
    return { ...volume, spec: withSource(placeToCsi(zoned, region, REGION_KEY).spec, field, csi) };
  },
  toInTree(volume) {
    const { fsType, volumeAttributes } = csiOf(volume);
    const { zone, region } = usedLabels(volume);
    const affinity = renameKey(renameKey(volume.spec.nodeAffinity, ZONE_KEY, zone), REGION_KEY, region);
    const { csi: _, ...spec } = withAffinity(volume.spec, affinity);
    const [firstZone] = valuesOf(affinity, zone);
    const [firstRegion] = valuesOf(affinity, region);
    return {
      ...volume,
      labels: {
        ...(firstZone === undefined ? {} : { [zone]: firstZone }),
        ...(firstRegion === undefined ? {} : { [region]: firstRegion }),
        ...volume.labels,
      },
      spec: { ...spec, [field]: { volumePath: volumeAttributes?.[PATH_ATTRIBUTE] ?? '', ...whenSet({ fsType }) } },
    };
  },
  classToCsi({ parameters, allowedTopologies = [] }) {
    const renamed = Object.fromEntries(
      migrated.map((name) => [name, (_key: string, value: string) => ({ [`${name}-migrationparam`]: value })]),
    );
    const known = Object.entries(parameters).filter(([key]) =>
      ['fstype', POLICY, ...migrated].includes(key.toLowerCase()),
    );
    const mapped = mapParameters(Object.fromEntries(known), {
      ...renamed,
      fstype: toFsType,
      [POLICY]: (_key, value) => ({ [POLICY]: value }),
    });
    return {
      allowedTopologies: allowedTopologies.length === 0 ? undefined : termsToCsi(allowedTopologies, ZONE_KEY),
      // Tells the driver to answer with the volume's path.
      parameters: { ...mapped, csimigration: 'true' },
    };
  },
  inlineToCsi(volume) {
    const csi = csiSource(volume[field]);
    return { metadata: { name: `${DRIVER}-${csi.volumeHandle}` }, spec: { csi, accessModes: ['ReadWriteOnce'] } };
  },
};

/** From the volume's affinity, else from its label, which names one place here, whatever is in it. */
function placeToCsi(volume: VolumeParts, label: string, driverKey: string): VolumeParts {
  const { nodeAffinity } = volume.spec;
  const place = volume.labels[label];
  if (valuesOf(nodeAffinity, label).length > 0) {
    return { ...volume, spec: withAffinity(volume.spec, renameKey(nodeAffinity, label, driverKey)) };
  }
  if (place === undefined) return volume;
  return { ...volume, spec: withAffinity(volume.spec, requireZones(nodeAffinity, driverKey, [place])) };
}
