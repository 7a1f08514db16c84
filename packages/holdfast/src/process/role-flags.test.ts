import { completeFlags, defineFlags, ExitError } from '@holdfast/sidecar';
import { describe, expect, it } from 'vitest';
import { controllers } from './controllers.ts';
import { node } from './node.ts';
import { chosenRoles, givenTo, processFlags, type Roles } from './role-flags.ts';

function role(name: string, flags: ReturnType<typeof defineFlags>): Roles[string] {
  const prepare = () => Promise.reject(new Error('not here'));
  return { name, table: flags.table, fatalExitCode: 1, prepare, main: () => Promise.resolve(0) };
}

const wait = { type: 'duration', help: 'Wait.' } as const;
const fast = defineFlags({
  wait: { ...wait, default: '1s' },
  size: { type: 'int', default: 1, help: 'Size.' },
  old: { type: 'bool', default: false, help: 'Old.', deprecated: 'leave it' },
  'feature-gates': { type: 'gates', gates: { Both: { default: false, stage: 'GA' } }, help: 'Gates.' },
});
const slow = defineFlags({
  wait: { ...wait, default: '9s' },
  'feature-gates': {
    type: 'gates',
    gates: { Both: { default: false, stage: 'GA' }, Own: { default: false, stage: 'alpha' } },
    help: 'Gates.',
  },
});
const roles = { fast: role('fast-program', fast), slow: role('slow-program', slow) };
const flags = defineFlags(processFlags(roles));

function read(...argv: string[]) {
  const { given } = flags.read(argv, { syntax: 'pflag' });
  return {
    fast: completeFlags(fast.table, givenTo('fast', roles.fast, given)),
    slow: completeFlags(slow.table, givenTo('slow', roles.slow, given)),
  };
}

describe('a flag', () => {
  it('that is not given has the default of each role', () => {
    expect(read()).toMatchObject({ fast: { waitMs: 1_000, size: 1 }, slow: { waitMs: 9_000 } });
  });
  it('is for every role that has it', () => {
    expect(read('--wait=3s', '--size=5')).toMatchObject({ fast: { waitMs: 3_000, size: 5 }, slow: { waitMs: 3_000 } });
  });
  it.each([[['--wait=3s', '--slow-wait=4s']], [['--slow-wait=4s', '--wait=3s']]])(
    'with the name of a role in front wins, in whatever order: %j',
    (argv) => {
      expect(read(...argv)).toMatchObject({ fast: { waitMs: 3_000 }, slow: { waitMs: 4_000 } });
    },
  );
  it('that is deprecated is not taken', () => {
    expect(() => read('--old')).toThrow('unknown flag: --old');
    expect(() => read('--fast-old')).toThrow('unknown flag: --fast-old');
  });
  it('whose default is not one is shown with each', () => {
    const help = flags.help('p');
    expect(help).toContain('Of fast, slow: Wait. (default fast 1s, slow 9s)');
    expect(help).not.toContain('--slow-wait');
  });
});

describe('a gate', () => {
  it('is for the roles that know it', () => {
    const { fast, slow } = read('--feature-gates=Own=true,Both=true');
    expect([fast.featureGates, slow.featureGates]).toEqual([{ Both: true }, { Both: true, Own: true }]);
  });
  it('of one role is added to those of all', () => {
    const { fast, slow } = read('--feature-gates=Both=true', '--slow-feature-gates=Both=false,AllAlpha=true');
    expect([fast.featureGates, slow.featureGates]).toEqual([{ Both: true }, { Both: false, Own: true }]);
  });
  it('that no role knows is refused, and so is one that its role does not know', () => {
    expect(() => flags.parse(['--feature-gates=Other=true'], { syntax: 'pflag' })).toThrow(ExitError);
    expect(() => read('--fast-feature-gates=Own=true')).toThrow(/unrecognized feature gate: Own/);
  });
});

describe('--roles', () => {
  it('chooses each once', () => {
    expect(chosenRoles(roles, 'slow, fast,slow').map(([name]) => name)).toEqual(['slow', 'fast']);
  });
  it.each(['', 'fast,', 'quick', 'toString'])('%j is refused with what there is', (text) => {
    expect(() => chosenRoles(roles, text)).toThrow(/no role ".*"; there are: fast, slow/);
  });
});

it('one name of two types is a mistake in the program', () => {
  const other = role('other', defineFlags({ wait: { type: 'int', default: 1, help: 'Wait.' } }));
  expect(() => processFlags({ fast: roles.fast, other })).toThrow('--wait is not of one type in fast, other');
});

it.each([controllers, node])('no flag of $name can be read in two ways', ({ flags: { table } }) => {
  const plain = Object.keys(table).filter((name) => table[name]?.isHidden !== true);
  const hidden = Object.keys(table).filter((name) => table[name]?.isHidden === true);
  expect(hidden.length).toBeGreaterThan(5);
  expect(new Set([...plain, ...hidden]).size).toBe(plain.length + hidden.length);
  for (const name of hidden) expect(plain).toContain(name.replace(/^[a-z]+-/, ''));
});
