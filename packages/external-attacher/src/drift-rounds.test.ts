import { expect, test } from 'vitest';
import { createDriftRounds } from './drift-rounds.ts';

const only = new Set(['a']);

test('what nothing helps against is acted on ever less often, but not given up', () => {
  const rounds = createDriftRounds();
  const acted = Array.from({ length: 100 }, (_, round) => ({ round, isDue: rounds.due(only).has('a') }));
  expect(acted.filter(({ isDue }) => isDue).map(({ round }) => round)).toEqual([0, 2, 5, 10, 19, 36, 69]);
});

test('what was in order in between starts anew', () => {
  const rounds = createDriftRounds();
  expect([...rounds.due(only)]).toEqual(['a']);
  expect([...rounds.due(only)]).toEqual([]);
  rounds.due(new Set());
  expect([...rounds.due(only)]).toEqual(['a']);
});
