import * as z from 'zod';
import { mapParameters } from './class-parameters.ts';
import { type CsiSource, csiOf, type InTreePlugin, readSource, whenSet, withSource } from './plugin.ts';

const DRIVER = 'pxd.portworx.com';
const field = 'portworxVolume';

/** Names the secret of a class, and on a PersistentVolume that of the volume. */
const SECRET_NAME = 'openstorage.io/auth-secret-name';
const SECRET_NAMESPACE = 'openstorage.io/auth-secret-namespace';

const purposes = [
  'provisioner',
  'controller-publish',
  'node-publish',
  'node-stage',
  'controller-expand',
  'node-expand',
];

const sourceSchema = z.object({
  volumeID: z.string().default(''),
  fsType: z.string().optional(),
  readOnly: z.boolean().optional(),
});

/** One secret serves every purpose. */
function forEachPurpose(what: 'name' | 'namespace'): (key: string, value: string) => Record<string, string> {
  return (_key, value) =>
    Object.fromEntries(purposes.map((purpose) => [`csi.storage.k8s.io/${purpose}-secret-${what}`, value]));
}

/** Whether it is read-only is a matter of the pod: the plug-in's flag has no place in the source. */
function csiSource(given: unknown): CsiSource {
  const { volumeID, fsType } = readSource(sourceSchema, field, given);
  return { driver: DRIVER, volumeHandle: volumeID, ...whenSet({ fsType }) };
}

export const portworx: InTreePlugin = {
  inTreeName: 'kubernetes.io/portworx-volume',
  driverName: DRIVER,
  field,
  readsLabels: false,
  readsAnnotations: [SECRET_NAME, SECRET_NAMESPACE],
  toCsi(volume) {
    const name = volume.annotations[SECRET_NAME];
    const namespace = volume.annotations[SECRET_NAMESPACE];
    const hasSecret = name !== undefined && namespace !== undefined;
    const ref = whenSet({ name, namespace });
    const csi: CsiSource = {
      ...csiSource(volume.spec[field]),
      ...(hasSecret
        ? {
            controllerPublishSecretRef: ref,
            nodeStageSecretRef: ref,
            nodePublishSecretRef: ref,
            controllerExpandSecretRef: ref,
            nodeExpandSecretRef: ref,
          }
        : {}),
    };
    return { ...volume, spec: withSource(volume.spec, field, csi) };
  },
  toInTree(volume) {
    const { volumeHandle, fsType, readOnly } = csiOf(volume);
    const { csi: _, ...spec } = volume.spec;
    return { ...volume, spec: { ...spec, [field]: { volumeID: volumeHandle, ...whenSet({ fsType, readOnly }) } } };
  },
  classToCsi: ({ parameters, allowedTopologies }) => ({
    allowedTopologies,
    parameters: mapParameters(parameters, {
      [SECRET_NAME]: forEachPurpose('name'),
      [SECRET_NAMESPACE]: forEachPurpose('namespace'),
    }),
  }),
  inlineToCsi(volume) {
    const { readOnly } = readSource(sourceSchema, field, volume[field]);
    const csi = csiSource(volume[field]);
    return {
      metadata: { name: `${DRIVER}-${csi.volumeHandle}` },
      spec: { csi, accessModes: [readOnly ? 'ReadOnlyMany' : 'ReadWriteOnce'] },
    };
  },
};
