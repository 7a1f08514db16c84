import * as z from 'zod';
import { mapParameters, toFsType } from './class-parameters.ts';
import { type CsiSource, csiOf, type InTreePlugin, readSource, whenSet, withSource } from './plugin.ts';
import { termsToCsi, zonesToCsi, zonesToInTree } from './topology.ts';

const DRIVER = 'cinder.csi.openstack.org';
const ZONE_KEY = 'topology.cinder.csi.openstack.org/zone';
const field = 'cinder';

const sourceSchema = z.object({
  volumeID: z.string().default(''),
  fsType: z.string().optional(),
  readOnly: z.boolean().optional(),
});

function csiSource(given: unknown): CsiSource {
  const { volumeID, fsType, readOnly } = readSource(sourceSchema, field, given);
  return { driver: DRIVER, volumeHandle: volumeID, ...whenSet({ readOnly, fsType }) };
}

export const cinder: InTreePlugin = {
  inTreeName: 'kubernetes.io/cinder',
  driverName: DRIVER,
  field,
  readsLabels: true,
  readsAnnotations: [],
  toCsi(volume) {
    const csi = csiSource(volume.spec[field]);
    return { ...volume, spec: withSource(zonesToCsi(volume, ZONE_KEY), field, csi) };
  },
  toInTree(volume) {
    const { volumeHandle, fsType, readOnly } = csiOf(volume);
    // No region: the name of a zone does not tell it.
    const placed = zonesToInTree(volume, ZONE_KEY);
    const { csi: _, ...spec } = placed.spec;
    return { ...placed, spec: { ...spec, [field]: { volumeID: volumeHandle, ...whenSet({ fsType, readOnly }) } } };
  },
  classToCsi: ({ parameters, allowedTopologies = [] }) => ({
    allowedTopologies: allowedTopologies.length === 0 ? undefined : termsToCsi(allowedTopologies, ZONE_KEY),
    // `availability` too is a parameter of the driver.
    parameters: mapParameters(parameters, { fstype: toFsType }),
  }),
  inlineToCsi(volume) {
    const csi = csiSource(volume[field]);
    return { metadata: { name: `${DRIVER}-${csi.volumeHandle}` }, spec: { csi, accessModes: ['ReadWriteOnce'] } };
  },
};
