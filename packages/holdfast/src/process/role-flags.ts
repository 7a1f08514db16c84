import {
  ExitError,
  type FlagSpec,
  type FlagTable,
  type FlagValue,
  loggingFlags,
  type Role,
  standardFlags,
} from '@holdfast/sidecar';

/** Roles of a process by their short names, which are also the prefixes of their flags. */
export type Roles = Readonly<Record<string, Role>>;

const ofEveryProgram: FlagTable = { ...standardFlags, ...loggingFlags };

/**
 * The flags of a process of several roles: what every program has, once; each flag of a role by its own name, for all roles
 * that have it; and with the role's name in front, for that role alone. Deprecated ones are left out. Values are checked
 * where a role takes them.
 */
export function processFlags(roles: Roles): FlagTable {
  const table: Record<string, FlagSpec> = { roles: rolesFlag(roles) };
  const owners = ownersOf(roles);
  for (const [name, spec] of Object.entries(ofEveryProgram)) if (owners.has(name)) table[name] = spec;
  for (const [name, its] of owners) {
    if (Object.hasOwn(ofEveryProgram, name)) continue;
    table[name] = commonSpec(name, its);
    for (const { role, spec } of its) table[`${role}-${name}`] = { ...unchecked(spec), isHidden: true };
  }
  return table;
}

export function rolesFlag(roles: Roles) {
  const names = Object.keys(roles);
  return {
    type: 'string',
    default: names.join(','),
    help: `What to run in this process, of ${names.join(', ')}. A flag with the name of one in front, as in --${names.at(-1)}-timeout, is for that one alone, and wins.`,
  } as const;
}

interface Owner {
  readonly role: string;
  readonly spec: FlagSpec;
}

function ownersOf(roles: Roles): Map<string, Owner[]> {
  const owners = new Map<string, Owner[]>();
  for (const [role, { table }] of Object.entries(roles)) {
    for (const [name, spec] of Object.entries(table)) {
      if (spec.deprecated === undefined) owners.set(name, [...(owners.get(name) ?? []), { role, spec }]);
    }
  }
  return owners;
}

function commonSpec(name: string, owners: readonly Owner[]): FlagSpec {
  const [first, ...others] = owners;
  if (first === undefined || others.some(({ spec }) => spec.type !== first.spec.type)) {
    throw new Error(`--${name} is not of one type in ${owners.map(({ role }) => role).join(', ')}`);
  }
  const spec = unchecked(first.spec);
  if (others.length === 0) return { ...spec, group: `Of ${first.role}` };
  return {
    ...spec,
    ...(spec.type === 'gates' ? { gates: Object.assign({}, ...owners.map(gatesOf)) } : {}),
    group: 'Of several roles',
    help: `Of ${owners.map(({ role }) => role).join(', ')}: ${first.spec.help}`,
    ...shownDefault(owners),
  };
}

/** Roles differ in what they check, so each does it itself. */
function unchecked(spec: FlagSpec): FlagSpec {
  const { schema: _schema, excludes: _excludes, overriddenBy: _overriddenBy, ...rest } = spec;
  return rest;
}

function gatesOf({ spec }: Owner): object {
  return spec.type === 'gates' ? spec.gates : {};
}

function shownDefault(owners: readonly Owner[]): { shownDefault?: string } {
  const defaults = owners.map(({ role, spec }) => ({ role, text: defaultText(spec) }));
  if (new Set(defaults.map(({ text }) => text)).size === 1) return {};
  return { shownDefault: defaults.map(({ role, text }) => `${role} ${text}`).join(', ') };
}

function defaultText(spec: FlagSpec): string {
  return spec.type === 'gates' || spec.type === 'map' ? '' : String(spec.default);
}

/** What one role is given of the process's command line, by the names of its own flags. */
export function givenTo(
  prefix: string,
  { table }: Pick<Role, 'table'>,
  given: ReadonlyMap<string, FlagValue>,
): Map<string, FlagValue> {
  const its = new Map<string, FlagValue>();
  for (const [name, spec] of Object.entries(table)) {
    const own = given.get(`${prefix}-${name}`);
    const common = given.get(name);
    const value = spec.type === 'gates' ? gatesFor(spec.gates, common, own) : (own ?? common);
    if (value !== undefined) its.set(name, value);
  }
  return its;
}

/** Of the gates for all, those that the role knows; of its own, every one, so that an unknown one is refused. */
function gatesFor(
  known: object,
  common: FlagValue | undefined,
  own: FlagValue | undefined,
): Record<string, boolean> | undefined {
  if (typeof common !== 'object' && typeof own !== 'object') return undefined;
  const taken = booleans(common).filter(
    ([gate]) => Object.hasOwn(known, gate) || gate === 'AllAlpha' || gate === 'AllBeta',
  );
  return Object.fromEntries([...taken, ...booleans(own)]);
}

function booleans(gates: FlagValue | undefined): [string, boolean][] {
  return Object.entries(typeof gates === 'object' ? gates : {}).map(([gate, state]) => [gate, state === true]);
}

/** @throws ExitError on a role that there is not */
export function chosenRoles(roles: Roles, text: string): [prefix: string, role: Role][] {
  const known = Object.keys(roles).join(', ');
  const names = new Set(text.split(',').map((name) => name.trim()));
  return [...names].map((name) => {
    const role = Object.hasOwn(roles, name) ? roles[name] : undefined;
    if (role === undefined) throw new ExitError(`--roles: no role ${JSON.stringify(name)}; there are: ${known}`);
    return [name, role];
  });
}
