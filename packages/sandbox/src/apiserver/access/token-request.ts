import type { ApiRequest } from '../dispatch.ts';
import type { FieldError } from '../field-errors.ts';
import { invalidValue } from '../field-errors.ts';
import type { JsonObject } from '../json.ts';
import { numberAt, objectAt, stringAt, textsAt } from '../json.ts';
import { storageName } from '../kind.ts';
import { secrets, serviceAccounts } from '../kinds/core.ts';
import { nodes } from '../kinds/nodes.ts';
import { pods } from '../kinds/pods.ts';
import type { ApiObject } from '../objects.ts';
import { timestamp } from '../objects.ts';
import { badRequest, conflict, invalid, notFound } from '../status.ts';
import type { Storage } from '../storage.ts';
import type { VerbContext } from '../verbs/context.ts';
import { keyOfTarget } from '../verbs/update.ts';
import type { AccountTokens, BoundObjects } from './account-tokens.ts';
import { issuer } from './account-tokens.ts';
import { readReview, refuseOtherNamespace } from './read-review.ts';

const type = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' };
const resource = { group: 'authentication.k8s.io', plural: 'TokenRequest', kind: 'TokenRequest' };

const defaultSeconds = 60 * 60;
const leastSeconds = 10 * 60;
const mostSeconds = 2 ** 32;

/** POST of serviceaccounts/token. The rules and their order are upstream's (registry/core/serviceaccount/storage). */
export function answerTokenRequest(
  context: VerbContext & { readonly accountTokens: AccountTokens },
  target: { readonly namespace: string | undefined; readonly name: string },
  request: ApiRequest,
): JsonObject {
  const { namespace, name } = target;
  const sent = readReview(request, type);
  refuseOtherNamespace(sent, namespace);
  refuseOtherName(sent, name);
  const account = context.storage.get(storageName(serviceAccounts), keyOfTarget(target));
  if (account === undefined) throw notFound(serviceAccounts, name);
  const { uid } = account.metadata;
  const sentUid = stringAt(sent, 'metadata', 'uid') ?? '';
  if (sentUid !== '' && sentUid !== uid) {
    const why = `the UID in the token request (${sentUid}) does not match the UID of the service account (${uid})`;
    throw conflict(resource, name, why);
  }
  const asked = textsAt(sent, 'spec', 'audiences');
  const audiences = asked.length === 0 ? [issuer] : asked;
  const expirationSeconds = numberAt(sent, 'spec', 'expirationSeconds') ?? defaultSeconds;
  refuseLifetime(expirationSeconds);
  const reference = objectAt(sent, 'spec', 'boundObjectRef');
  const bound = reference === undefined ? {} : findBound(context.storage, { namespace, name }, reference);
  const nowMs = context.clock.nowMs();
  const token = context.accountTokens.issue({ account, audiences, expirationSeconds, bound });
  return {
    ...type,
    metadata: { ...objectAt(sent, 'metadata'), name, namespace, uid, creationTimestamp: timestamp(nowMs) },
    spec: { audiences, expirationSeconds, boundObjectRef: reference ?? null },
    status: { token, expirationTimestamp: timestamp(nowMs + expirationSeconds * 1000) },
  };
}

function refuseOtherName(sent: JsonObject, name: string): void {
  const named = stringAt(sent, 'metadata', 'name') ?? '';
  if (named === '' || named === name) return;
  const why = 'must match the service account name if specified';
  throw invalid(resource, name, [invalidValue('metadata.name', named, why)]);
}

function refuseLifetime(seconds: number): void {
  const errors: FieldError[] = [];
  const refuse = (why: string): unknown =>
    errors.push(invalidValue('spec.expirationSeconds', seconds, `may not specify a duration ${why}`));
  if (seconds < leastSeconds) refuse('less than 10 minutes');
  if (seconds > mostSeconds) refuse('larger than 2^32 seconds');
  if (errors.length > 0) throw invalid(resource, '', errors);
}

function findBound(
  storage: Storage,
  { namespace, name }: { namespace: string | undefined; name: string },
  reference: JsonObject,
): BoundObjects {
  const kind = stringAt(reference, 'kind') ?? '';
  const apiVersion = stringAt(reference, 'apiVersion') ?? '';
  const boundKind = apiVersion.includes('/') ? undefined : [pods, nodes, secrets].find((one) => one.kind === kind);
  if (boundKind === undefined) {
    const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
  }
  const boundName = stringAt(reference, 'name') ?? '';
  const key = boundKind.isNamespaced ? { namespace, name: boundName } : { namespace: undefined, name: boundName };
  const object = storage.get(storageName(boundKind), keyOfTarget(key));
  if (object === undefined) throw notFound(boundKind, boundName);
  // Admission names the account of every pod on a real cluster; here a pod without one is its namespace's default.
  if (boundKind === pods && (stringAt(object, 'spec', 'serviceAccountName') ?? 'default') !== name) {
    const account = JSON.stringify(name);
    throw badRequest(
      `cannot bind token for serviceaccount ${account} to pod running with different serviceaccount name.`,
    );
  }
  const uid = stringAt(reference, 'uid') ?? '';
  if (uid !== '' && uid !== object.metadata.uid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: '', plural: kind, kind }, boundName, why);
  }
  if (boundKind === secrets) return { secret: object };
  return boundKind === nodes ? { node: object } : { pod: object, ...nodeOf(storage, object) };
}

/** A pod's token tells the node of the pod too. */
function nodeOf(storage: Storage, pod: ApiObject): BoundObjects {
  const name = stringAt(pod, 'spec', 'nodeName') ?? '';
  const node = storage.get(storageName(nodes), name);
  return node === undefined ? {} : { node };
}
