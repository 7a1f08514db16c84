import { expect, it } from 'vitest';
import { nearestName } from './nearest-name.ts';

const known = ['timeout', 'leader-election', 'kube-api-qps', 'v'];

it.each([
  ['timeuot', 'timeout'],
  ['time-out', 'timeout'],
  ['leader-elect', 'leader-election'],
  ['kube-api-qp', 'kube-api-qps'],
  ['w', 'v'],
  ['logtostderr', undefined],
  ['', 'v'],
])('%j is nearest to %s', (name, nearest) => {
  expect(nearestName(name, known)).toBe(nearest);
});
