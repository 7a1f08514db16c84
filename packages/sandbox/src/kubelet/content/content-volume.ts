import type { Pod } from '@holdfast/kube';

type PodVolumeSource = NonNullable<NonNullable<Pod['spec']>['volumes']>[number];

export interface KeyToPath {
  readonly key: string;
  readonly path: string;
  readonly mode: number | undefined;
}

/** Where files of a volume come from. */
export type ContentSource =
  | {
      readonly kind: 'configMap' | 'secret';
      readonly name: string;
      /** Undefined: every key, under its own name. */
      readonly items: readonly KeyToPath[] | undefined;
      readonly isOptional: boolean;
    }
  | { readonly kind: 'downwardAPI'; readonly items: readonly KeyToPath[] }
  | {
      readonly kind: 'serviceAccountToken';
      readonly path: string;
      readonly audience: string | undefined;
      readonly expirationSeconds: number;
    };

/** A volume whose files kubelet writes itself, from what the API says. */
export interface ContentVolume {
  /** As kubelet names the folder below `volumes/`. */
  readonly plugin:
    | 'kubernetes.io~projected'
    | 'kubernetes.io~configmap'
    | 'kubernetes.io~secret'
    | 'kubernetes.io~downward-api';
  readonly sources: readonly ContentSource[];
  readonly defaultMode: number;
}

const defaultMode = 0o644;
const defaultTokenSeconds = 3_600;

/** Undefined for any other volume; a text that says what is not supported. */
export function contentVolume(volume: PodVolumeSource): ContentVolume | string | undefined {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) {
    return { plugin: 'kubernetes.io~configmap', sources: [keyed('configMap', configMap)], ...modeOf(configMap) };
  }
  if (secret !== undefined) {
    const source = keyed('secret', { ...secret, name: secret.secretName ?? '' });
    return { plugin: 'kubernetes.io~secret', sources: [source], ...modeOf(secret) };
  }
  if (downwardAPI !== undefined) {
    const source = downward(downwardAPI.items);
    return typeof source === 'string'
      ? source
      : { plugin: 'kubernetes.io~downward-api', sources: [source], ...modeOf(downwardAPI) };
  }
  if (projected === undefined) {
    return undefined;
  }
  const sources: ContentSource[] = [];
  for (const projection of projected.sources ?? []) {
    const source = projectedSource(projection);
    if (typeof source === 'string') {
      return source;
    }
    sources.push(source);
  }
  return { plugin: 'kubernetes.io~projected', sources, ...modeOf(projected) };
}

type Projection = NonNullable<NonNullable<PodVolumeSource['projected']>['sources']>[number];

function projectedSource(projection: Projection): ContentSource | string {
  const { configMap, secret, downwardAPI, serviceAccountToken } = projection;
  if (configMap !== undefined) {
    return keyed('configMap', configMap);
  }
  if (secret !== undefined) {
    return keyed('secret', secret);
  }
  if (downwardAPI !== undefined) {
    return downward(downwardAPI.items);
  }
  if (serviceAccountToken !== undefined) {
    const { path, audience, expirationSeconds = defaultTokenSeconds } = serviceAccountToken;
    return { kind: 'serviceAccountToken', path, audience, expirationSeconds };
  }
  return `projections of type ${Object.keys(projection)[0] ?? 'unknown'} are not supported; use configMap, secret, downwardAPI or serviceAccountToken`;
}

interface Keyed {
  readonly name?: string | undefined;
  readonly items?:
    | readonly { readonly key: string; readonly path: string; readonly mode?: number | undefined }[]
    | undefined;
  readonly optional?: boolean | undefined;
}

function keyed(kind: 'configMap' | 'secret', { name = '', items, optional }: Keyed): ContentSource {
  return {
    kind,
    name,
    items: items?.map(({ key, path, mode }) => ({ key, path, mode })),
    isOptional: optional === true,
  };
}

type DownwardItems = NonNullable<PodVolumeSource['downwardAPI']>['items'];

function downward(items: DownwardItems): ContentSource | string {
  const found: KeyToPath[] = [];
  for (const { fieldRef, path, mode } of items ?? []) {
    if (fieldRef === undefined) {
      return `downwardAPI file "${path}" is of a resource, which is not supported; use a fieldRef`;
    }
    found.push({ key: fieldRef.fieldPath, path, mode });
  }
  return { kind: 'downwardAPI', items: found };
}

function modeOf(source: { readonly defaultMode?: number }): { readonly defaultMode: number } {
  return { defaultMode: source.defaultMode ?? defaultMode };
}
