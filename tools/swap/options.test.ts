import { expect, it } from 'vitest';
import { parseOptions } from './options.ts';

it('nothing said is everything on Kubernetes', () => {
  expect(parseOptions([])).toMatchObject({ part: undefined, isShort: false, cluster: 'kubernetes', scenario: '' });
});

it('-t is a scenario and nothing else', () => {
  expect(parseOptions(['-t', 'raw block', '--only=attacher'])).toMatchObject({
    part: 'scenarios',
    scenario: 'raw block',
    only: ['attacher'],
  });
});

it.each([
  [['-t'], 'unknown argument -t'],
  [['raw block'], 'unknown argument raw block'],
  [['--case='], 'unknown argument --case='],
  [['--only=kubelet'], 'no sidecar "kubelet"; there are: provisioner, attacher, resizer'],
])('%j is refused', (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
