import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readManifests } from './apply.ts';

const folder = join(import.meta.dirname, '..', '..', 'deploy', 'chart', 'rbac');
const files = readdirSync(folder);
const upstream = readFileSync(join(import.meta.dirname, 'upstream-rbac.yaml'), 'utf8');

const verb = z.enum(['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']);
const rule = z.strictObject({
  apiGroups: z.array(z.string()).min(1),
  resources: z.array(z.string().regex(/^[a-z]+(\/[a-z]+)?$/)).min(1),
  verbs: z.array(verb).min(1),
});
const role = z.looseObject({ kind: z.enum(['Role', 'ClusterRole']), rules: z.array(rule) });
const reference = z.looseObject({ kind: z.string(), name: z.string() });
const binding = z.looseObject({
  kind: z.enum(['RoleBinding', 'ClusterRoleBinding']),
  roleRef: reference,
  subjects: z.array(reference),
});

function rolesOf(yaml: string): z.infer<typeof role>[] {
  return readManifests(yaml).flatMap((object) => role.safeParse(object).data ?? []);
}

describe.each(files)('%s', (file) => {
  const text = readFileSync(join(folder, file), 'utf8');
  const name = file.replace(/\.yaml$/, '');

  it('has an account, a role for the cluster and one for the lease, and binds them', () => {
    const objects = readManifests(text);
    expect(objects.map(({ kind }) => kind)).toEqual([
      'ServiceAccount',
      'ClusterRole',
      'ClusterRoleBinding',
      'Role',
      'RoleBinding',
    ]);
    expect(objects[0]?.metadata).toEqual({ name, namespace: 'holdfast-system' });
    expect(rolesOf(text)).toHaveLength(2);
    const bindings = objects.flatMap((object) => binding.safeParse(object).data ?? []);
    expect(bindings.map(({ roleRef, subjects }) => [roleRef.kind, roleRef.name, subjects[0]?.name])).toEqual([
      ['ClusterRole', `holdfast-${name}`, name],
      ['Role', `holdfast-${name}`, name],
    ]);
  });

  it('reads secrets one by one and nothing else of them', () => {
    const ofSecrets = rolesOf(text)
      .flatMap(({ rules }) => rules)
      .filter(({ resources }) => resources.includes('secrets'));
    expect(ofSecrets.map(({ verbs }) => verbs)).toEqual([['get']]);
  });

  it('says of each rule what needs it', () => {
    const lines = text.split('\n');
    const bare = lines.filter((line, at) => line.startsWith('  - apiGroups') && !lines[at - 1]?.startsWith('  # '));
    expect(bare).toEqual([]);
  });
});

it('the rules of the Go sidecars are ours and what is beyond', () => {
  const accounts = readManifests(upstream).flatMap((object) => binding.safeParse(object).data ?? []);
  const shipped = accounts.filter(({ roleRef }) => roleRef.name.startsWith('holdfast-'));
  expect(shipped).toHaveLength(2 * files.length);
  const roles = rolesOf(upstream).length;
  expect(accounts).toHaveLength(shipped.length + roles);
});
