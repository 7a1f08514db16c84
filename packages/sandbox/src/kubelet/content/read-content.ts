import { isNotFound, type KubeClient, type Pod } from '@holdfast/kube';
import * as z from 'zod';
import { podField } from '../pods/pod-fields.ts';
import type { ContentSource, ContentVolume, KeyToPath } from './content-volume.ts';

export interface ContentFile {
  readonly data: Buffer;
  readonly mode: number;
}

export interface Content {
  /** By path within the volume. */
  readonly files: ReadonlyMap<string, ContentFile>;
  /** How long it may stay as it is; undefined for good. */
  readonly refreshAfterMs: number | undefined;
}

const configMapShape = z.looseObject({
  data: z.record(z.string(), z.string()).nullish(),
  binaryData: z.record(z.string(), z.string()).nullish(),
});
const secretShape = z.looseObject({ data: z.record(z.string(), z.string()).nullish() });
const tokenShape = z.looseObject({ status: z.looseObject({ token: z.string(), expirationTimestamp: z.string() }) });

// kubelet's token manager: after four fifths of the lifetime, and each day at least.
const freshShare = 0.8;
const longestFreshMs = 24 * 60 * 60_000;

/** Asks the API for everything that a volume's files are made of. @throws with the name of what is missing */
export async function readContent(
  deps: { readonly client: KubeClient; readonly nowMs: () => number },
  pod: Pod,
  volume: ContentVolume,
  signal: AbortSignal,
): Promise<Content> {
  const files = new Map<string, ContentFile>();
  let refreshAfterMs: number | undefined;
  for (const source of volume.sources) {
    if (source.kind === 'serviceAccountToken') {
      const { token, lifetimeMs } = await requestToken(deps, pod, source, signal);
      files.set(safePath(source.path), { data: Buffer.from(token), mode: volume.defaultMode });
      const freshMs = Math.min(lifetimeMs * freshShare, longestFreshMs);
      refreshAfterMs = Math.min(refreshAfterMs ?? freshMs, freshMs);
      continue;
    }
    const values =
      source.kind === 'downwardAPI' ? fieldsOf(pod, source.items) : await readKeys(deps.client, pod, source, signal);
    for (const { key, path, mode } of source.items ?? [...values.keys()].map(itself)) {
      const data = values.get(key);
      if (data !== undefined) {
        files.set(safePath(path), { data, mode: mode ?? volume.defaultMode });
      } else if (source.kind === 'downwardAPI' || !source.isOptional) {
        throw new Error(
          source.kind === 'downwardAPI'
            ? `field "${key}" of a pod is not known`
            : `references non-existent config key: ${key}`,
        );
      }
    }
  }
  return { files, refreshAfterMs };
}

function itself(key: string): KeyToPath {
  return { key, path: key, mode: undefined };
}

async function readKeys(
  client: KubeClient,
  pod: Pod,
  { kind, name, isOptional }: ContentSource & { readonly kind: 'configMap' | 'secret' },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Buffer>> {
  const path = `/api/v1/namespaces/${pod.metadata.namespace ?? ''}/${kind.toLowerCase()}s/${name}`;
  try {
    const { body } = await client.request('GET', path, undefined, { signal });
    if (kind === 'secret') {
      return decoded(secretShape.parse(body).data);
    }
    const { data, binaryData } = configMapShape.parse(body);
    const texts = Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(text)] as const);
    return new Map([...texts, ...decoded(binaryData)]);
  } catch (error) {
    if (!isNotFound(error)) {
      throw error;
    }
    if (isOptional) {
      return new Map();
    }
    throw new Error(`${kind.toLowerCase()} "${name}" not found`, { cause: error });
  }
}

function decoded(data: Readonly<Record<string, string>> | null | undefined): ReadonlyMap<string, Buffer> {
  return new Map(Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(text, 'base64')]));
}

async function requestToken(
  { client, nowMs }: { readonly client: KubeClient; readonly nowMs: () => number },
  pod: Pod,
  source: ContentSource & { readonly kind: 'serviceAccountToken' },
  signal: AbortSignal,
): Promise<{ readonly token: string; readonly lifetimeMs: number }> {
  const { name, namespace = '', uid } = pod.metadata;
  const account = pod.spec?.serviceAccountName ?? 'default';
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      audiences: source.audience === undefined || source.audience === '' ? [] : [source.audience],
      expirationSeconds: source.expirationSeconds,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
    },
  };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const answer = await client.request('POST', path, body, { signal });
  const { token, expirationTimestamp } = tokenShape.parse(answer.body).status;
  return { token, lifetimeMs: Math.max(0, Date.parse(expirationTimestamp) - nowMs()) };
}

function fieldsOf(pod: Pod, items: readonly KeyToPath[]): ReadonlyMap<string, Buffer> {
  const fields = new Map<string, Buffer>();
  for (const { key } of items) {
    const value =
      key === 'metadata.labels'
        ? mapText(pod.metadata.labels)
        : key === 'metadata.annotations'
          ? mapText(pod.metadata.annotations)
          : podField(pod, key);
    if (value !== undefined) {
      fields.set(key, Buffer.from(value));
    }
  }
  return fields;
}

/** As the downward API writes a map: one `key="value"` per line, sorted. */
function mapText(map: Readonly<Record<string, string>> = {}): string {
  return Object.keys(map)
    .toSorted()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join('\n');
}

/** The API server lets no such path through; a file outside its volume would be ours to answer for all the same. */
function safePath(path: string): string {
  if (path === '' || path.startsWith('/') || path.split('/').some((part) => part.startsWith('..') || part === '')) {
    throw new Error(`a file of a volume cannot be at ${JSON.stringify(path)}; use a relative path without ".."`);
  }
  return path;
}
