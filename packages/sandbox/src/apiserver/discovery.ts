import type { JsonObject } from './json.ts';
import type { Kind } from './kind.ts';
import { apiVersionOf } from './kind.ts';
import { allKinds } from './kinds/all.ts';

/** The release whose API the server follows. */
export const kubernetesVersion = { major: '1', minor: '34', gitVersion: 'v1.34.0+holdfast' };

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

function verbsOf(kind: Kind): string[] {
  return kind.lacksDeleteCollection === true ? allVerbs.filter((verb) => verb !== 'deletecollection') : allVerbs;
}

/** Answered at once and never stored. */
export const reviews = [
  { group: 'authorization.k8s.io', version: 'v1', kind: 'LocalSubjectAccessReview', isNamespaced: true },
  { group: 'authorization.k8s.io', version: 'v1', kind: 'SelfSubjectAccessReview', isNamespaced: false },
  { group: 'authorization.k8s.io', version: 'v1', kind: 'SelfSubjectRulesReview', isNamespaced: false },
  { group: 'authorization.k8s.io', version: 'v1', kind: 'SubjectAccessReview', isNamespaced: false },
  { group: 'authentication.k8s.io', version: 'v1', kind: 'SelfSubjectReview', isNamespaced: false },
  { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenReview', isNamespaced: false },
] as const;

export function singularOf(review: { readonly kind: string }): string {
  return review.kind.toLowerCase();
}

/** What `GET /` lists: the paths a client may go on from. */
function rootPaths(): string[] {
  const groups = namedGroups.flatMap((group) => [`/apis/${group}`, `/apis/${group}/${versionOf(group)}`]);
  return [
    '/api',
    '/api/v1',
    '/apis',
    ...groups,
    '/healthz',
    '/livez',
    '/openapi/v2',
    '/openapi/v3',
    '/readyz',
    '/version',
  ];
}

const groupNames = [...new Set([...allKinds, ...reviews].map(({ group }) => group))];
const namedGroups = groupNames.filter((group) => group !== '');

/** The one version of a group that is served. */
function versionOf(group: string): string {
  return allKinds.find((kind) => kind.group === group)?.version ?? 'v1';
}

/** The answer to a discovery path, or undefined when it is none. */
export function discover(path: string, accept: string): JsonObject | undefined {
  const isAggregated = /as=APIGroupDiscoveryList/.test(accept) && /v=v2\b(?!beta)/.test(accept);
  if (path === '/version') {
    return {
      ...kubernetesVersion,
      gitCommit: '',
      gitTreeState: 'clean',
      buildDate: '',
      goVersion: '',
      compiler: '',
      platform: 'linux',
    };
  }
  if (path === '/') return { paths: rootPaths() };
  if (path === '/api') {
    if (isAggregated) return aggregated(['']);
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  }
  if (path === '/apis') {
    if (isAggregated) return aggregated(namedGroups);
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: namedGroups.map(groupOf) };
  }
  if (path === '/api/v1') return resourceList('', 'v1');
  const group = namedGroups.find((name) => path === `/apis/${name}`);
  if (group !== undefined) return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(group) };
  const served = namedGroups.find((name) => path === `/apis/${name}/${versionOf(name)}`);
  return served === undefined ? undefined : resourceList(served, versionOf(served));
}

export const aggregatedContentType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

function groupOf(name: string): JsonObject {
  const version = { groupVersion: `${name}/${versionOf(name)}`, version: versionOf(name) };
  return { name, versions: [version], preferredVersion: version };
}

function subresourcesOf(kind: Kind): { name: string; kind: string; group?: string; verbs: string[] }[] {
  const found = kind.hasStatus === true ? [{ name: 'status', kind: kind.kind, verbs: ['get', 'patch', 'update'] }] : [];
  if (kind.plural === 'pods') {
    return [
      ...found,
      { name: 'binding', kind: 'Binding', verbs: ['create'] },
      { name: 'log', kind: 'Pod', verbs: ['get'] },
    ];
  }
  if (kind.plural === 'serviceaccounts') {
    return [{ name: 'token', group: 'authentication.k8s.io', kind: 'TokenRequest', verbs: ['create'] }];
  }
  if (kind.plural === 'namespaces') return [...found, { name: 'finalize', kind: 'Namespace', verbs: ['update'] }];
  return found;
}

function resourceList(group: string, version: string): JsonObject {
  const resources: JsonObject[] = [];
  for (const kind of allKinds.filter((candidate) => candidate.group === group)) {
    const { plural: name, singular: singularName, isNamespaced: namespaced } = kind;
    resources.push({
      name,
      singularName,
      namespaced,
      kind: kind.kind,
      verbs: verbsOf(kind),
      ...(kind.shortNames === undefined ? {} : { shortNames: [...kind.shortNames] }),
      ...(kind.categories === undefined ? {} : { categories: [...kind.categories] }),
      storageVersionHash: '',
    });
    for (const sub of subresourcesOf(kind)) {
      const of = sub.group === undefined ? {} : { group: sub.group, version: 'v1' };
      resources.push({
        name: `${name}/${sub.name}`,
        singularName: '',
        namespaced,
        ...of,
        kind: sub.kind,
        verbs: sub.verbs,
      });
    }
  }
  for (const review of reviews.filter((candidate) => candidate.group === group)) {
    resources.push({
      name: `${singularOf(review)}s`,
      singularName: singularOf(review),
      namespaced: review.isNamespaced,
      kind: review.kind,
      verbs: ['create'],
    });
  }
  // The oldest list of all has no version of its own.
  const ofList = group === '' ? {} : { apiVersion: 'v1' };
  return { kind: 'APIResourceList', ...ofList, groupVersion: apiVersionOf({ group, version }), resources };
}

function aggregated(groups: readonly string[]): JsonObject {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map((group) => ({
      metadata: group === '' ? {} : { name: group },
      versions: [{ version: versionOf(group), freshness: 'Current', resources: aggregatedResources(group) }],
    })),
  };
}

function aggregatedResources(group: string): JsonObject[] {
  // Left to the list they stand in, where that has them.
  const groupVersion = { group: '', version: '' };
  const stored = allKinds
    .filter((kind) => kind.group === group)
    .map((kind) => ({
      resource: kind.plural,
      responseKind: { ...groupVersion, kind: kind.kind },
      scope: kind.isNamespaced ? 'Namespaced' : 'Cluster',
      singularResource: kind.singular,
      verbs: verbsOf(kind),
      ...(kind.shortNames === undefined ? {} : { shortNames: [...kind.shortNames] }),
      ...(kind.categories === undefined ? {} : { categories: [...kind.categories] }),
      ...subresourcesIn(kind),
    }));
  function subresourcesIn(kind: Kind): JsonObject {
    const subresources = subresourcesOf(kind).map((sub) => {
      const own = sub.group === undefined ? groupVersion : { group: sub.group, version: 'v1' };
      const responseKind = { ...own, kind: sub.kind };
      return { subresource: sub.name, responseKind, verbs: sub.verbs };
    });
    return subresources.length === 0 ? {} : { subresources };
  }
  const answered = reviews
    .filter((review) => review.group === group)
    .map((review) => ({
      resource: `${singularOf(review)}s`,
      responseKind: { ...groupVersion, kind: review.kind },
      scope: review.isNamespaced ? 'Namespaced' : 'Cluster',
      singularResource: singularOf(review),
      verbs: ['create'],
    }));
  return [...stored, ...answered];
}
