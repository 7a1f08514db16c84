import { describe, expect, it } from 'vitest';
import { ArgumentError, parseArguments } from './arguments.ts';

describe('parseArguments', () => {
  it('measures everything, three times, when nothing is said', () => {
    expect(parseArguments([])).toMatchObject({
      parts: new Set(['provision', 'attach', 'detach', 'expand', 'modify', 'delete', 'full', 'reflector', 'node']),
      failingMs: 60_000,
      slowAttachMs: 15_000,
      loads: [
        { profile: 'default', objects: 50 },
        { profile: 'unlimited', objects: 1000 },
      ],
      runs: 3,
      makers: ['ours', 'upstream'],
      driver: { kind: 'memory' },
      isJson: false,
      earlierFiles: [],
      writesDocs: false,
    });
  });

  it('takes parts and a number of objects', () => {
    expect(parseArguments(['--only', 'attach,provision', '--n=200', '--json'])).toMatchObject({
      parts: new Set(['provision', 'attach']),
      loads: [{ profile: 'unlimited', objects: 200 }],
      runs: 1,
      isJson: true,
      earlierFiles: [],
    });
  });

  it('takes minutes only when told', () => {
    const given = [
      '--only=slow-attach,failing-expand,one-process',
      '--slow-seconds=2',
      '--failing-seconds=5',
      '--n=10',
    ];
    expect(parseArguments(given)).toMatchObject({
      parts: new Set(['one-process', 'slow-attach', 'failing-expand']),
      objects: 10,
      failingMs: 5000,
      slowAttachMs: 2000,
    });
    const all = parseArguments(['--only=all']);
    expect(all !== 'help' && all.parts.has('failing-attach') && all.parts.has('provision')).toBe(true);
  });

  it('takes another driver', () => {
    const given = ['--driver-command=/bin/driver  --endpoint={endpoint}', '--topology=zone=a,rack=b', '--node-id=n1'];
    expect(parseArguments(given)).toMatchObject({
      driver: { kind: 'command', command: ['/bin/driver', '--endpoint={endpoint}'] },
      topology: { zone: 'a', rack: 'b' },
      nodeId: 'n1',
    });
  });

  it('takes flags of Node', () => {
    expect(parseArguments(['--node-flags=--max-semi-space-size=4,--optimize-for-size'])).toMatchObject({
      nodeFlags: ['--max-semi-space-size=4', '--optimize-for-size'],
    });
  });

  it('answers a request for help whatever else is given', () => {
    expect(parseArguments(['--help', '--runs=1'])).toBe('help');
  });

  it.each([
    ['an unknown option', ['--repeat=3'], "Unknown option '--repeat'; --help lists the options"],
    ['an argument that is no option', ['provision'], "Unexpected argument 'provision'"],
    ['an unknown part', ['--only=provision,mount'], '--only has "mount", which is none of provision, attach, detach'],
    ['an unknown maker', ['--makers=theirs'], '--makers has "theirs", which is none of ours, upstream'],
    ['a number that is none', ['--n=many'], '--n must be a whole number from 1 on, got "many"'],
    ['zero runs', ['--runs=0'], '--runs must be a whole number from 1 on, got "0"'],
    ['a profile without its number', ['--profile=default'], '--profile goes with --n'],
    ['an unknown profile', ['--n=5', '--profile=fast'], '--profile must be default or unlimited, got "fast"'],
    ['a pair without a value', ['--topology=zone'], '--topology has "zone", which is not KEY=VALUE'],
    ['an empty command', ['--driver-command= '], '--driver-command is empty'],
    ['a flag of Node that is none', ['--node-flags=lean'], '--node-flags has "lean", which is no flag'],
    ['an unknown driver', ['--driver=nfs'], '--driver must be memory or disk, got "nfs"'],
    [
      'two drivers',
      ['--driver-command=x', '--csi-address=y'],
      '--csi-address and --driver-command both name the driver',
    ],
  ])('refuses %s', (_what, argv, message) => {
    expect(() => parseArguments(argv)).toThrow(message);
    expect(() => parseArguments(argv)).toThrow(ArgumentError);
  });
});
