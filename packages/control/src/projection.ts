import type { KubeObject, ObjectMeta } from '@holdfast/kube';

/** What of an object's metadata a controller reads beside its name. */
export interface KeptMetadata {
  readonly annotations?: readonly string[];
  readonly hasFinalizers?: boolean;
  readonly hasLabels?: boolean;
}

/** The part of a projection that is alike for all objects: what it is, its identity, its versions and its deletion. */
export function projectHead(
  { apiVersion, kind, metadata }: KubeObject,
  kept: KeptMetadata = {},
): Pick<KubeObject, 'apiVersion' | 'kind'> & { metadata: ObjectMeta } {
  const { name, uid, resourceVersion, creationTimestamp } = metadata;
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => kept.annotations?.includes(key));
  return {
    ...pick({ apiVersion, kind }, 'apiVersion', 'kind'),
    metadata: {
      name,
      uid,
      resourceVersion,
      creationTimestamp,
      ...pick(metadata, 'namespace', 'deletionTimestamp'),
      ...(kept.hasFinalizers ? pick(metadata, 'finalizers') : {}),
      ...(kept.hasLabels ? pick(metadata, 'labels') : {}),
      ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
    },
  };
}

/** Those of the fields that are set, and none of the others. */
export function pick<T extends object, K extends keyof T>(
  object: T | undefined,
  ...fields: readonly K[]
): { [P in K]?: Exclude<T[P], undefined> } {
  const picked: { [P in K]?: Exclude<T[P], undefined> } = {};
  for (const field of fields) {
    const value = object?.[field];
    if (isSet(value)) picked[field] = value;
  }
  return picked;
}

function isSet<V>(value: V): value is Exclude<V, undefined> {
  return value !== undefined;
}
