import type { KubeClient } from '@holdfast/kube';
import { parseAllDocuments } from 'yaml';
import { isObject, type JsonObject, show, stringAt } from '../apiserver/json.ts';
import { apiVersionOf, type Kind } from '../apiserver/kind.ts';
import { allKinds } from '../apiserver/kinds/all.ts';
import type { ApiObject } from '../apiserver/objects.ts';

export type AppliedObject = ApiObject;

export async function applyManifests(client: KubeClient, manifests: string | object): Promise<AppliedObject[]> {
  const documents: unknown[] =
    typeof manifests === 'string'
      ? parseAllDocuments(manifests).map((document): unknown => document.toJS())
      : [manifests];
  const applied: AppliedObject[] = [];
  for (const document of documents) {
    if (document === null || document === undefined) continue;
    if (!isObject(document)) throw new Error(`cannot apply ${JSON.stringify(document)}: it is not an object`);
    applied.push(await applyOne(client, document));
  }
  return applied;
}

async function applyOne(client: KubeClient, object: JsonObject): Promise<AppliedObject> {
  const kind = allKinds.find(
    (candidate) => candidate.kind === object['kind'] && apiVersionOf(candidate) === object['apiVersion'],
  );
  if (kind === undefined) {
    throw new Error(`cannot apply: the sandbox has no kind ${show(object['kind'])} in ${show(object['apiVersion'])}`);
  }
  const { body } = await client.request('PATCH', pathOf(kind, object), object, {
    contentType: 'application/apply-patch+yaml',
    query: { fieldManager: 'test', force: true },
  });
  if (!isApiObject(body)) throw new Error(`the API server answered ${JSON.stringify(body)} instead of an object`);
  return body;
}

function pathOf(kind: Kind, object: JsonObject): string {
  const name = stringAt(object, 'metadata', 'name') ?? '';
  if (name === '') throw new Error(`cannot apply a ${kind.kind} without metadata.name`);
  const root = kind.group === '' ? '/api/v1' : `/apis/${apiVersionOf(kind)}`;
  const namespace = stringAt(object, 'metadata', 'namespace') ?? 'default';
  return kind.isNamespaced
    ? `${root}/namespaces/${namespace}/${kind.plural}/${name}`
    : `${root}/${kind.plural}/${name}`;
}

function isApiObject(body: unknown): body is ApiObject {
  return isObject(body) && stringAt(body, 'metadata', 'uid') !== undefined;
}
