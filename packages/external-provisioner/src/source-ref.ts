import type { PersistentVolumeClaim } from '@holdfast/kube';
import { SNAPSHOT_GROUP } from './names.ts';
import { RefusalError } from './refusal.ts';

/** What a claim wants its volume filled from. */
export interface SourceRef {
  readonly kind: 'VolumeSnapshot' | 'PersistentVolumeClaim';
  readonly name: string;
  readonly namespace: string;
  readonly isOtherNamespace: boolean;
}

/**
 * The claim's source, `dataSource` before `dataSourceRef`, as upstream. Undefined when there is none, or one of a kind that a
 * populator serves.
 * @throws RefusalError
 */
export function sourceRefOf(
  claim: PersistentVolumeClaim,
  gates: { readonly areOtherNamespacesAllowed: boolean },
): SourceRef | undefined {
  const { dataSource, dataSourceRef } = claim.spec ?? {};
  const own = claim.metadata.namespace ?? '';
  const given = dataSource ?? dataSourceRef;
  if (!given) return undefined;
  const { kind, name, apiGroup } = given;
  if (kind !== 'VolumeSnapshot' && kind !== 'PersistentVolumeClaim') return undefined;
  const namespace = (dataSource ? undefined : dataSourceRef?.namespace) || own;
  if (namespace !== own && !gates.areOtherNamespacesAllowed) {
    throw new RefusalError(
      `spec.dataSourceRef.namespace is ${namespace}: sources in other namespaces need the feature gate CrossNamespaceVolumeDataSource`,
    );
  }
  if (name === '') throw new RefusalError('the data source has no name: set it');
  if (kind === 'VolumeSnapshot' && apiGroup !== SNAPSHOT_GROUP) {
    throw new RefusalError(
      `data source VolumeSnapshot ${name} is of apiGroup ${JSON.stringify(apiGroup ?? '')}: set it to ${SNAPSHOT_GROUP}`,
    );
  }
  return { kind, name, namespace, isOtherNamespace: namespace !== own };
}

/** `kind/namespace/name`, to find by it who needs a source. */
export function sourceKey({ kind, namespace, name }: Pick<SourceRef, 'kind' | 'namespace' | 'name'>): string {
  return `${kind}/${namespace}/${name}`;
}

/** The same for any claim, and undefined where it names no source that a provisioner serves. */
export function sourceKeyOf(claim: PersistentVolumeClaim): string | undefined {
  try {
    const ref = sourceRefOf(claim, { areOtherNamespacesAllowed: true });
    return ref && sourceKey(ref);
  } catch (error) {
    if (error instanceof RefusalError) return undefined;
    throw error;
  }
}

/** The kind of what a claim is filled from, as the metrics have it; empty for none. */
export function sourceKindOf({ spec }: PersistentVolumeClaim): string {
  return spec?.dataSource?.kind ?? '';
}
