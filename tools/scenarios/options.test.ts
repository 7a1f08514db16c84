import { describe, expect, it } from 'vitest';
import { OptionError, parseOptions } from './options.ts';

const allOurs = { provisioner: 'ours', attacher: 'ours', resizer: 'ours' };

describe('options', () => {
  it('are both clusters and our own sidecars when nothing is said', () => {
    expect(parseOptions([])).toEqual({
      clusters: ['sandbox', 'kubernetes'],
      rounds: [{ makers: allOurs, makersText: '' }],
      vitestArgs: [],
    });
  });

  it('leave to vitest what is not theirs', () => {
    const options = parseOptions(['--cluster=sandbox', '-t', 'raw block', '--sidecars=resizer=upstream']);
    expect(options).toMatchObject({
      clusters: ['sandbox'],
      rounds: [{ makers: { ...allOurs, resizer: 'upstream' }, makersText: 'resizer=upstream' }],
      vitestArgs: ['-t', 'raw block'],
    });
  });

  it('play a round for each --sidecars', () => {
    const { rounds } = parseOptions(['--sidecars=', '--sidecars=attacher=upstream']);
    expect(rounds.map(({ makers }) => makers)).toEqual([allOurs, { ...allOurs, attacher: 'upstream' }]);
  });

  it.each([
    ['--cluster=minikube', /sandbox, kubernetes, not "minikube"/],
    ['--cluster', /not ""/],
    ['--sidecars=snapshotter=ours', /no sidecar "snapshotter"/],
    ['--sidecars=resizer=theirs', /"ours" or "upstream", not "theirs"/],
  ])('refuse %s', (arg, message) => {
    expect(() => parseOptions([arg])).toThrow(OptionError);
    expect(() => parseOptions([arg])).toThrow(message);
  });
});
