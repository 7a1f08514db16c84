import * as z from 'zod';
import { dropped, mapParameters, placesToCsi } from './class-parameters.ts';
import {
  type CsiSource,
  csiOf,
  type InTreePlugin,
  MigrationError,
  readSource,
  type TopologyTerms,
  whenSet,
  withSource,
} from './plugin.ts';

const DRIVER = 'disk.csi.azure.com';
const ZONE_KEY = 'topology.disk.csi.azure.com/zone';
const field = 'azureDisk';

// Attributes of the driver: kubernetes-sigs/azuredisk-csi-driver, docs/driver-parameters.md.
const CACHING = 'cachingmode';
const FSTYPE = 'fstype';

const sourceSchema = z.object({
  diskURI: z.string().default(''),
  kind: z.string().optional(),
  cachingMode: z.string().optional(),
  fsType: z.string().optional(),
  readOnly: z.boolean().optional(),
});

function csiSource(given: unknown, isEmptyCachingKept: boolean): CsiSource {
  const { diskURI, kind, cachingMode, fsType, readOnly } = readSource(sourceSchema, field, given);
  if (kind !== undefined && kind.toLowerCase() !== 'managed') {
    throw new MigrationError(`${field}.kind is "${kind}": only managed disks migrate to CSI`);
  }
  const hasCaching = cachingMode !== undefined && (cachingMode !== '' || isEmptyCachingKept);
  return {
    driver: DRIVER,
    volumeHandle: diskURI,
    ...whenSet({ readOnly, fsType }),
    volumeAttributes: {
      kind: 'Managed',
      ...(hasCaching ? { [CACHING]: cachingMode } : {}),
      ...(fsType === undefined ? {} : { [FSTYPE]: fsType }),
    },
  };
}

export const azureDisk: InTreePlugin = {
  inTreeName: 'kubernetes.io/azure-disk',
  driverName: DRIVER,
  field,
  readsLabels: false,
  readsAnnotations: [],
  toCsi: (volume) => ({ ...volume, spec: withSource(volume.spec, field, csiSource(volume.spec[field], true)) }),
  toInTree(volume) {
    const { volumeHandle, fsType = '', readOnly = false, volumeAttributes = {} } = csiOf(volume);
    const attributes = new Map(Object.entries(volumeAttributes).map(([key, value]) => [key.toLowerCase(), value]));
    const source = {
      diskName: diskNameOf(volumeHandle),
      diskURI: volumeHandle,
      ...whenSet({ cachingMode: attributes.get(CACHING) }),
      fsType: attributes.get(FSTYPE) || fsType,
      readOnly,
      kind: 'Managed',
    };
    const { csi: _, ...spec } = volume.spec;
    return { ...volume, spec: { ...spec, [field]: source } };
  },
  classToCsi(storageClass) {
    const terms = placesToCsi(storageClass, ZONE_KEY);
    return {
      allowedTopologies: terms && withoutFaultDomains(terms),
      // `fstype` too is a parameter of the driver.
      parameters: mapParameters(storageClass.parameters, { zone: dropped, zones: dropped }),
    };
  },
  inlineToCsi(volume) {
    const csi = csiSource(volume[field], false);
    return { metadata: { name: csi.volumeHandle }, spec: { csi, accessModes: ['ReadWriteOnce'] } };
  },
};

/** In regions without zones the plug-in had the number of a fault domain for a zone; the driver has none. */
function withoutFaultDomains(terms: TopologyTerms): TopologyTerms {
  return terms.map((term) => ({
    ...term,
    ...(term.matchLabelExpressions && {
      matchLabelExpressions: term.matchLabelExpressions.map((each) =>
        each.key === ZONE_KEY
          ? { ...each, values: each.values.map((zone) => (/^[0-9]+$/.test(zone) ? '' : zone)) }
          : each,
      ),
    }),
  }));
}

/**
 * The last part of a disk's URI, of a managed disk (a resource id) or of one in a storage account (http).
 * @throws MigrationError
 */
function diskNameOf(uri: string): string {
  const isBlob = uri.length > 4 && uri.slice(0, 4).toLowerCase() === 'http';
  const marks = isBlob
    ? ['http', '://', '/vhds/']
    : ['/subscriptions/', '/resourceGroups/', '/providers/Microsoft.Compute/disks/'];
  return (
    afterMarks(uri, marks) ??
    refuseUri(
      uri,
      isBlob ? 'http(s)://…/vhds/DISK' : `/subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/disks/DISK`,
    )
  );
}

function refuseUri(uri: string, wanted: string): never {
  throw new MigrationError(`volume handle "${uri}" is not the URI of a disk: ${wanted} is wanted`);
}

/** What follows the last of the marks, where all of them are there in this order. */
function afterMarks(text: string, marks: readonly string[]): string | undefined {
  let at = 0;
  for (const mark of marks) {
    const found = text.indexOf(mark, at);
    if (found < 0) return undefined;
    at = found + mark.length;
  }
  const last = marks.at(-1) ?? '';
  // Not at the very end: a name is to follow.
  const from = Math.max(at, text.lastIndexOf(last, text.length - last.length - 1) + last.length);
  return text.slice(from) || undefined;
}
