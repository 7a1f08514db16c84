import * as z from 'zod';
import { csiOf, type InTreePlugin, MigrationError, readSource, whenSet, withSource } from './plugin.ts';

const DRIVER = 'file.csi.azure.com';
const field = 'azureFile';
const RESOURCE_GROUP = 'kubernetes.io/azure-file-resource-group';
const DEFAULT_NAMESPACE = 'default';

// Attributes of the driver: kubernetes-sigs/azurefile-csi-driver, docs/driver-parameters.md.
const SHARE = 'sharename';

const sourceSchema = z.object({
  secretName: z.string().default(''),
  shareName: z.string().default(''),
  readOnly: z.boolean().optional(),
  /** Of a PersistentVolume alone; a pod's secret is in its own namespace. */
  secretNamespace: z.string().nullish(),
});

type Source = z.infer<typeof sourceSchema>;

function csiSource(source: Source, id: { resourceGroup: string; disk: string; namespace: string }) {
  const { secretName, shareName, readOnly } = source;
  const account = accountOf(secretName);
  return {
    driver: DRIVER,
    volumeHandle: [id.resourceGroup, account, shareName, id.disk, id.namespace].join('#'),
    ...whenSet({ readOnly }),
    volumeAttributes: { [SHARE]: shareName },
    nodeStageSecretRef: whenSet({ name: secretName, namespace: id.namespace }),
  };
}

export const azureFile: InTreePlugin = {
  inTreeName: 'kubernetes.io/azure-file',
  driverName: DRIVER,
  field,
  readsLabels: false,
  readsAnnotations: [RESOURCE_GROUP],
  toCsi(volume) {
    const { spec, name, annotations } = volume;
    const source = readSource(sourceSchema, field, spec[field]);
    const namespace = source.secretNamespace ?? spec.claimRef?.namespace ?? '';
    if (namespace === '') {
      throw new MigrationError(
        `the namespace of secret "${source.secretName}" is unknown: set ${field}.secretNamespace`,
      );
    }
    const resourceGroup = annotations[RESOURCE_GROUP] ?? '';
    return { ...volume, spec: withSource(spec, field, csiSource(source, { resourceGroup, disk: name, namespace })) };
  },
  toInTree(volume) {
    const { volumeHandle, readOnly, volumeAttributes = {}, nodeStageSecretRef: ref } = csiOf(volume);
    const attributes = new Map(Object.entries(volumeAttributes).map(([key, value]) => [key.toLowerCase(), value]));
    const secret = ref?.name
      ? { name: ref.name, namespace: ref.namespace ?? '' }
      : { name: attributes.get('secretname') ?? '', namespace: attributes.get('secretnamespace') };
    const shareName = attributes.get(SHARE) ?? '';
    const isInHandle = shareName === '' || secret.name === '';
    const id = isInHandle ? handleParts(volumeHandle) : undefined;
    const { csi: _, ...spec } = volume.spec;
    return {
      ...volume,
      annotations: { ...volume.annotations, ...(id?.resourceGroup ? { [RESOURCE_GROUP]: id.resourceGroup } : {}) },
      spec: {
        ...spec,
        [field]: {
          secretName: secret.name || `azure-storage-account-${id?.account}-secret`,
          shareName: shareName || (id?.share ?? ''),
          ...whenSet({ readOnly }),
          secretNamespace: secret.namespace ?? DEFAULT_NAMESPACE,
        },
      },
    };
  },
  classToCsi: ({ parameters, allowedTopologies }) => ({ parameters, allowedTopologies }),
  inlineToCsi(volume, podNamespace) {
    const source = readSource(sourceSchema, field, volume[field]);
    const namespace = podNamespace || DEFAULT_NAMESPACE;
    const csi = csiSource(source, { resourceGroup: '', disk: volume.name, namespace });
    return { metadata: { name: csi.volumeHandle }, spec: { csi, accessModes: ['ReadWriteMany'] } };
  },
};

/** A secret is named after its storage account, or is the account's name itself. */
function accountOf(secretName: string): string {
  const prefix = 'azure-storage-account-';
  const from = secretName.indexOf(prefix);
  const to = secretName.lastIndexOf('-secret');
  return from >= 0 && to > from + prefix.length ? secretName.slice(from + prefix.length, to) : secretName;
}

/** `resource-group#account#share#disk#namespace`; the last two may be missing. @throws MigrationError */
function handleParts(handle: string): { resourceGroup: string; account: string; share: string } {
  const [resourceGroup = '', account = '', share] = handle.split('#');
  if (share !== undefined) return { resourceGroup, account, share };
  throw new MigrationError(`volume handle "${handle}" is not RESOURCE-GROUP#ACCOUNT#SHARE`);
}
