import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from './exit.ts';
import { type FlagSyntax, parseArguments } from './flag-parser.ts';
import type { FlagTable } from './flag-spec.ts';
import { standardFlags } from './standard-flags.ts';

const table = {
  address: { type: 'string', default: '', help: '' },
  enable: { type: 'bool', default: false, help: '' },
  count: { type: 'int', default: 0, help: '' },
  threads: { type: 'uint', default: 1, help: '' },
  qps: { type: 'float', default: 1, help: '' },
  timeout: { type: 'duration', default: '1s', help: '' },
  labels: { type: 'map', default: {}, help: '' },
  'feature-gates': { type: 'gates', gates: {}, help: '' },
  v: { type: 'int', default: 0, shorthand: 'v', help: '' },
} as const satisfies FlagTable;

function given(argv: readonly string[], syntax: FlagSyntax): Record<string, unknown> {
  return Object.fromEntries(parseArguments(table, argv, syntax).given);
}

describe.each(['go', 'pflag'] as const)('both syntaxes: %s', (syntax) => {
  it.each([
    [['--address=/a', '--count=3'], { address: '/a', count: 3 }],
    [['--address', '/a', '--count', '-3'], { address: '/a', count: -3 }],
    [['--address='], { address: '' }],
    [['--address=a=b'], { address: 'a=b' }],
    [['--address=a\nb'], { address: 'a\nb' }],
    [['--address', '--enable'], { address: '--enable' }],
    [['--enable'], { enable: true }],
    [['--enable=F'], { enable: false }],
    [['--count=0x1f'], { count: 31 }],
    [['--count=010'], { count: 8 }],
    [['--count=0_10'], { count: 8 }],
    [['--count=1_000'], { count: 1000 }],
    [['--count=0x_f_f'], { count: 255 }],
    [['--count=-0'], { count: 0 }],
    [['--threads=2'], { threads: 2 }],
    [['--qps=2.5e1'], { qps: 25 }],
    [['--timeout=1m30s'], { timeout: 90_000 }],
    [['--labels=a:1,b:2', '--labels=c:3'], { labels: { a: '1', b: '2', c: '3' } }],
    [['--labels='], { labels: {} }],
    [['--feature-gates=A=true,B=0', '--feature-gates=B=true'], { 'feature-gates': { A: true, B: true } }],
    [['-v=5'], { v: 5 }],
    [['-v', '5'], { v: 5 }],
    [['--v=5'], { v: 5 }],
    [['--count=1', '--count=2'], { count: 2 }],
    [['--enable', '--', '--count=1'], { enable: true }],
    [[], {}],
  ])('%j', (argv, expected) => {
    expect(given(argv, syntax)).toEqual(expected);
  });

  it.each([
    [['--timeout=5'], /invalid value "5" for flag --timeout: time: missing unit in duration "5"; write/],
    [['--enable=yes'], /invalid value "yes" for flag --enable: write true or false/],
    [['--count=1.5'], /--count: write a whole number/],
    [['--count='], /--count: write a whole number/],
    [['--count=1__0'], /--count: write a whole number/],
    [['--count=_1'], /--count: write a whole number/],
    [['--count=1_'], /--count: write a whole number/],
    [['--count=99999999999999999999'], /--count: value out of range/],
    [['--threads=-1'], /--threads: write a whole number without a sign/],
    [['--qps=NaN'], /--qps: write a number/],
    [['--qps=1e999'], /--qps: write a number/],
    [['--labels=a'], /"a" is not key:value/],
    [['--labels=a:b:c'], /"a:b:c" is not key:value/],
    [['--feature-gates=A'], /missing bool value for A/],
    [['--feature-gates=A=x'], /invalid value of A/],
    [['--address'], /flag needs an argument: --address/],
    [['---address=x'], /bad flag syntax/],
    [['--=x'], /bad flag syntax/],
    [['--constructor=1'], /constructor/],
  ])('%j is a usage error', (argv, message) => {
    expect(() => parseArguments(table, argv, syntax)).toThrow(UsageError);
    expect(() => parseArguments(table, argv, syntax)).toThrow(message);
  });

  it.each([['-h'], ['--help']])('%s asks for help', (argument) => {
    expect(parseArguments(table, [argument, '--unknown'], syntax).isHelp).toBe(true);
  });
});

describe('Go flag syntax', () => {
  it('takes one dash as two', () => {
    expect(given(['-address', 'x', '-enable=false'], 'go')).toEqual({ address: 'x', enable: false });
  });

  it('stops at the first word and reports what it ignored', () => {
    const { given: flags, ignored } = parseArguments(table, ['--enable', 'true', '--count=3'], 'go');
    expect([...flags.keys()]).toEqual(['enable']);
    expect(ignored).toEqual(['true', '--count=3']);
  });

  it('words an unknown flag as Go does and suggests the nearest', () => {
    expect(() => parseArguments(standardFlags, ['-leader-elect'], 'go')).toThrow(
      'flag provided but not defined: -leader-elect (did you mean --leader-election?)',
    );
    expect(() => parseArguments(standardFlags, ['--logtostderr'], 'go')).toThrow(/-logtostderr$/);
  });
});

describe('pflag syntax', () => {
  it('takes flags after words', () => {
    const { given: flags, ignored } = parseArguments(table, ['word', '--count=3'], 'pflag');
    expect(flags.get('count')).toBe(3);
    expect(ignored).toEqual(['word']);
  });

  it('reads letters with the value attached', () => {
    expect(given(['-v5'], 'pflag')).toEqual({ v: 5 });
  });

  it('takes a long name after one dash for letters', () => {
    expect(() => parseArguments(table, ['-address=x'], 'pflag')).toThrow(
      "unknown shorthand flag: 'a' in -address=x (did you mean --address?)",
    );
  });

  it('words an unknown flag as pflag does', () => {
    expect(() => parseArguments(standardFlags, ['--csi-adress=/x'], 'pflag')).toThrow(
      'unknown flag: --csi-adress (did you mean --csi-address?)',
    );
  });
});

describe('properties', () => {
  const syntax = fc.constantFrom<FlagSyntax>('go', 'pflag');

  it('any command line gives flags or a UsageError', () => {
    const word = fc.oneof(
      fc.string(),
      fc.stringMatching(/^-{0,3}[a-z-]{0,8}(=[a-z0-9:=,]*)?$/),
      fc.constantFrom(...Object.keys(table).map((name) => `--${name}`)),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), syntax, (argv, each) => {
        try {
          for (const name of parseArguments(table, argv, each).given.keys()) expect(table).toHaveProperty([name]);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('the value after = reaches a string flag unchanged', () => {
    fc.assert(
      fc.property(fc.string(), syntax, (text, each) => {
        expect(given([`--address=${text}`], each)).toEqual({ address: text });
      }),
    );
  });
});
