import { describe, expect, it } from 'vitest';
import { flagDifferences } from './compare-flags.ts';
import { goHelp } from './go-help.ts';

const goFlag = `Usage of csi-attacher:
  -automaxprocs
    	automatically set
  -feature-gates value
    	A set of key=value pairs. Options are:
    	Mutable=true|false (BETA - default=true)
    	AllAlpha=true|false (ALPHA - default=false)
  -http-endpoint :8080
    	The TCP network address (example: :8080). (default "")
  -timeout duration
    	Timeout (of each call). (default 1m0s)
  -worker-threads uint
    	Number of threads (default 10)
`;
const pflag = `Usage of csi-provisioner:
      --automaxprocs boolFunc[=true]   automatically set
      --feature-gates mapStringBool    A set of key=value pairs. Options are:
                                       Mutable=true|false (BETA - default=true)
                                       AllAlpha=true|false (ALPHA - default=false)
      --http-endpoint :8080            The TCP network address (example: :8080).
      --timeout duration               Timeout (of each call). (default 1m0s)
      --worker-threads uint            Number of threads (default 10)
`;
const table = {
  automaxprocs: { type: 'bool', default: false, help: '' },
  'feature-gates': { type: 'gates', gates: { Mutable: { default: true, stage: 'beta' } }, help: '' },
  'http-endpoint': { type: 'string', default: '', help: '' },
  timeout: { type: 'duration', default: '60s', help: '' },
  'worker-threads': { type: 'uint', default: 10, help: '' },
} as const;

describe.each([
  ['flag', goFlag],
  ['pflag', pflag],
])('the help of a program with %s', (_, text) => {
  it('tells the same as a table that is the same', () => {
    const help = goHelp(text);
    expect(help.flags.map(({ name }) => name)).toEqual(Object.keys(table));
    expect(flagDifferences(table, help)).toEqual([]);
  });

  it('shows a flag that only one has, another type, another default, another gate', () => {
    const { timeout: _timeout, ...rest } = table;
    const changed = {
      ...rest,
      'worker-threads': { type: 'int', default: 10, help: '' },
      'http-endpoint': { type: 'string', default: ':1', help: '' },
      'feature-gates': { type: 'gates', gates: { Mutable: { default: false, stage: 'alpha' } }, help: '' },
      extra: { type: 'bool', default: false, help: '' },
    } as const;
    expect(flagDifferences(changed, goHelp(text))).toEqual([
      { what: '--http-endpoint', ours: 'default :1', theirs: 'default ' },
      { what: '--timeout', ours: 'absent', theirs: 'present' },
      { what: '--worker-threads', ours: 'int', theirs: 'uint' },
      { what: '--extra', ours: 'present', theirs: 'absent' },
      { what: 'gate Mutable', ours: 'ALPHA, false', theirs: 'BETA, true' },
    ]);
  });
});
