import {
  AccessModeError,
  type CreateVolumeRequest,
  type TopologyRequirement,
  type VolumeCapability,
  volumeCapabilityFor,
} from '@holdfast/csi-spec';
import type { PersistentVolumeClaim, StorageClass, VolumeAttributesClass } from '@holdfast/kube';
import { attributesOf } from './attributes.ts';
import { driverParameters, fsTypeOf } from './class-parameters.ts';
import { contentSource, type SourceView } from './content-source.ts';
import type { DriverTraits } from './driver-traits.ts';
import { annotations, metadataParameters } from './names.ts';
import { RefusalError } from './refusal.ts';
import { requestedBytes } from './requested-size.ts';
import { resolveSecretRefs, type SecretRefs } from './secret-refs.ts';
import { type SourceRef, sourceRefOf } from './source-ref.ts';
import { type ClusterTopology, type TopologyRules, topologyRequirement } from './topology.ts';
import { type VolumeNaming, volumeNameFor } from './volume-name.ts';

/** What the flags decide about a volume. */
export interface ProvisionRules {
  readonly naming: VolumeNaming;
  readonly defaultFsType: string;
  readonly hasExtraCreateMetadata: boolean;
  readonly isPublishReadonly: boolean;
  /** The gate, and that the API server has such classes; without, a claim's is not looked at. */
  readonly hasAttributesClasses: boolean;
  readonly areOtherNamespacesAllowed: boolean;
  readonly isModeConversionPrevented: boolean;
  readonly topology: TopologyRules;
}

/**
 * All that follows from a claim and its class, worked out once. Until the driver has answered for good, every retry
 * uses this very plan: a request with other parameters or another place under the same name would be answered
 * AlreadyExists, or leave a volume behind.
 */
export interface VolumePlan {
  readonly claim: PersistentVolumeClaim;
  readonly volumeName: string;
  /** CreateVolume's request, except for the secrets: those are read for each call and kept nowhere. */
  readonly request: Omit<CreateVolumeRequest, 'secrets'>;
  readonly requestedBytes: bigint;
  readonly secretRefs: SecretRefs;
  readonly fsType: string;
  readonly isReadOnly: boolean;
  /** The class is one of an in-tree plug-in, and so its volume is to be. */
  readonly isMigrated: boolean;
  readonly selectedNode: string | undefined;
  /** The VolumeAttributesClass the volume is made with. */
  readonly attributesClass: string | undefined;
  readonly source: PlanSource | undefined;
  readonly storageClass: {
    readonly name: string;
    readonly uid: string;
    readonly reclaimPolicy: string;
    readonly mountOptions: readonly string[];
  };
}

/** What the volume is filled from, and must stay until it is. */
export interface PlanSource {
  readonly kind: SourceRef['kind'];
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** It has our finalizer already. */
  readonly isProtected: boolean;
}

export type PlanResult =
  | { readonly kind: 'planned'; readonly plan: VolumePlan }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unready'; readonly reason: string }
  /** All is well so far; now what the source is like must be known. */
  | { readonly kind: 'lookUp'; readonly source: SourceRef }
  | { readonly kind: 'reschedule'; readonly reason: string; readonly node: string };

export function planVolume(deps: {
  claim: PersistentVolumeClaim;
  /** As the driver wants it. */
  storageClass: StorageClass;
  isMigrated?: boolean;
  attributesClass: VolumeAttributesClass | undefined;
  /** Undefined until it has been looked up. */
  source: SourceView | undefined;
  driver: DriverTraits;
  rules: ProvisionRules;
  cluster: ClusterTopology;
  /** In place of the one that the claim names. */
  selectedNode?: string;
}): PlanResult {
  const { claim, storageClass, driver, rules, cluster } = deps;
  let topology: TopologyRequirement | undefined;
  const selectedNode = deps.selectedNode ?? selectedNodeOf(claim);
  try {
    const sourceRef = sourceRefOf(claim, rules);
    if (sourceRef) refuseSource(sourceRef, driver);
    const attributes = attributesOf(deps);
    if (attributes.kind === 'unready') return attributes;
    const plan = planWithoutTopology({ ...deps, mutableParameters: attributes.parameters }, selectedNode);
    if (driver.hasTopology) {
      const answer = topologyRequirement({
        claimName: claim.metadata.name,
        selectedNode,
        allowedTopologies: storageClass.allowedTopologies,
        rules: rules.topology,
        cluster,
      });
      if (answer.kind === 'unready') return answer;
      if (answer.kind === 'reschedule') return { ...answer, node: selectedNode ?? '' };
      if (answer.kind === 'required') topology = answer.requirement;
    }
    const placed: VolumePlan = { ...plan, request: { ...plan.request, accessibilityRequirements: topology } };
    return sourceRef === undefined ? { kind: 'planned', plan: placed } : withSource(placed, sourceRef, deps);
  } catch (error) {
    if (error instanceof RefusalError) return { kind: 'refused', reason: error.message };
    if (error instanceof AccessModeError) return { kind: 'refused', reason: `spec.accessModes: ${error.message}` };
    throw error;
  }
}

/** The node the scheduler chose for the claim's first pod. An empty annotation is none. */
export function selectedNodeOf(claim: PersistentVolumeClaim): string | undefined {
  const given = claim.metadata.annotations;
  return given?.[annotations.selectedNode] || given?.[annotations.alphaSelectedNode] || undefined;
}

function refuseSource({ kind, name }: SourceRef, driver: DriverTraits): void {
  if (kind === 'VolumeSnapshot' ? driver.canRestoreSnapshots : driver.canCloneVolumes) return;
  const capability = kind === 'VolumeSnapshot' ? 'CREATE_DELETE_SNAPSHOT' : 'CLONE_VOLUME';
  throw new RefusalError(
    `driver ${driver.driverName} cannot fill a volume from ${kind} ${name} (it lacks ${capability}): remove spec.dataSource and spec.dataSourceRef for an empty volume`,
  );
}

function withSource(
  plan: VolumePlan,
  ref: SourceRef,
  { claim, source, driver, rules }: Parameters<typeof planVolume>[0],
): PlanResult {
  if (source === undefined) return { kind: 'lookUp', source: ref };
  const { isModeConversionPrevented } = rules;
  const answer = contentSource({ claim, ref, driver, isModeConversionPrevented }, source);
  if (answer.kind === 'unready') return answer;
  const { uid, contentSource: volumeContentSource, isProtected } = answer.source;
  const { kind, name, namespace } = ref;
  return {
    kind: 'planned',
    plan: {
      ...plan,
      request: { ...plan.request, volumeContentSource },
      source: { kind, name, namespace, uid, isProtected },
    },
  };
}

function planWithoutTopology(
  deps: {
    claim: PersistentVolumeClaim;
    storageClass: StorageClass;
    isMigrated?: boolean;
    mutableParameters: Record<string, string>;
    driver: DriverTraits;
    rules: ProvisionRules;
  },
  selectedNode: string | undefined,
): VolumePlan {
  const { claim, storageClass, driver, rules } = deps;
  refuseUnsupported(claim, driver);
  const parameters = storageClass.parameters ?? {};
  const mountOptions = storageClass.mountOptions ?? [];
  const volumeName = volumeNameFor(claim.metadata.uid, rules.naming);
  const sizeBytes = requestedBytes(claim);
  const fsType = fsTypeOf(parameters, rules.defaultFsType);
  const namespace = claim.metadata.namespace ?? '';
  const metadata = {
    [metadataParameters.claimName]: claim.metadata.name,
    [metadataParameters.claimNamespace]: namespace,
    [metadataParameters.volumeName]: volumeName,
  };
  const modes = claim.spec?.accessModes ?? [];
  return {
    claim,
    volumeName,
    requestedBytes: sizeBytes,
    request: {
      name: volumeName,
      capacityRange: { requiredBytes: sizeBytes, limitBytes: 0n },
      volumeCapabilities: volumeCapabilities(claim, driver, { fsType, mountOptions }),
      parameters: { ...driverParameters(parameters), ...(rules.hasExtraCreateMetadata ? metadata : {}) },
      volumeContentSource: undefined,
      accessibilityRequirements: undefined,
      mutableParameters: deps.mutableParameters,
    },
    secretRefs: resolveSecretRefs(parameters, {
      volumeName,
      claimName: claim.metadata.name,
      claimNamespace: namespace,
      claimAnnotations: claim.metadata.annotations ?? {},
    }),
    fsType: isBlock(claim) ? '' : fsType,
    isReadOnly: rules.isPublishReadonly && modes.length === 1 && modes[0] === 'ReadOnlyMany',
    isMigrated: deps.isMigrated ?? false,
    selectedNode,
    attributesClass: (rules.hasAttributesClasses && claim.spec?.volumeAttributesClassName) || undefined,
    source: undefined,
    storageClass: {
      name: storageClass.metadata.name,
      uid: storageClass.metadata.uid,
      reclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      mountOptions,
    },
  };
}

function refuseUnsupported(claim: PersistentVolumeClaim, driver: DriverTraits): void {
  if (!driver.canCreateVolumes) {
    throw new RefusalError(
      `driver ${driver.driverName} does not create volumes: it lacks CONTROLLER_SERVICE or CREATE_DELETE_VOLUME`,
    );
  }
  if (claim.spec?.selector) {
    throw new RefusalError('spec.selector picks among existing volumes and cannot be met by a new one: remove it');
  }
}

function isBlock(claim: PersistentVolumeClaim): boolean {
  return claim.spec?.volumeMode === 'Block';
}

/** One capability per access mode of the claim, in its order, as upstream does. */
function volumeCapabilities(
  claim: PersistentVolumeClaim,
  driver: DriverTraits,
  { fsType, mountOptions }: { fsType: string; mountOptions: readonly string[] },
): VolumeCapability[] {
  const modes = claim.spec?.accessModes ?? [];
  if (modes.length === 0)
    throw new RefusalError('the claim has no access mode: set spec.accessModes, for example to [ReadWriteOnce]');
  if (modes.length > 1 && modes.includes('ReadWriteOncePod')) {
    throw new RefusalError('access mode ReadWriteOncePod stands alone: remove the others from spec.accessModes');
  }
  const { hasSingleNodeMultiWriter } = driver;
  return modes.map((mode) =>
    volumeCapabilityFor(
      { accessModes: [mode], volumeMode: claim.spec?.volumeMode, mountOptions },
      { fsType, hasSingleNodeMultiWriter },
    ),
  );
}
