import type { Struct } from './notation.ts';
import { readTable } from './notation.ts';
import { authentication, rbac, reviews } from './tables/access.ts';
import { coordination } from './tables/coordination.ts';
import { core } from './tables/core.ts';
import { meta } from './tables/meta.ts';
import { pods } from './tables/pods.ts';
import { storage } from './tables/storage.ts';
import { volumes } from './tables/volumes.ts';

/** The tables, by the package that OpenAPI names of their structs begin with. */
const packages: readonly (readonly [string, string])[] = [
  ['io.k8s.apimachinery.pkg.apis.meta.v1', meta],
  ['io.k8s.api.core.v1', core],
  ['io.k8s.api.core.v1', pods],
  ['io.k8s.api.core.v1', volumes],
  ['io.k8s.api.storage.v1', storage],
  ['io.k8s.api.coordination.v1', coordination],
  ['io.k8s.api.authentication.v1', authentication],
  ['io.k8s.api.authorization.v1', reviews],
  ['io.k8s.api.rbac.v1', rbac],
];

interface PackagedStruct extends Struct {
  /** 'io.k8s.api.core.v1.Pod' */
  readonly openApiName: string;
}

/** Names that two packages have: here with the package before them. */
const goNames: Readonly<Record<string, string>> = { StorageTokenRequest: 'TokenRequest' };

/** Every struct of every kind the server serves, by its Go name. Field names and types are those of Kubernetes v1.36. */
const structs: ReadonlyMap<string, PackagedStruct> = new Map(
  packages.flatMap(([root, table]) =>
    readTable(table).map((struct) => [
      struct.name,
      { ...struct, openApiName: `${root}.${goNames[struct.name] ?? struct.name}` },
    ]),
  ),
);

/** Throws for a name no table has: a table that names it is wrong. */
export function structNamed(name: string): PackagedStruct {
  const found = structs.get(name);
  if (found === undefined) throw new Error(`no table has the struct ${name}`);
  return found;
}
