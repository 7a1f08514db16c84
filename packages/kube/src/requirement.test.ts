import { describe, expect, it } from 'vitest';
import { meetsRequirement } from './requirement.ts';

describe('a requirement of a selector', () => {
  it.each([
    ['In', ['a', 'b'], 'a', true],
    ['In', ['a', 'b'], 'c', false],
    ['In', ['a'], undefined, false],
    ['NotIn', ['a'], 'b', true],
    ['NotIn', ['a'], 'a', false],
    ['NotIn', ['a'], undefined, true],
    ['Exists', [], '', true],
    ['Exists', [], undefined, false],
    ['DoesNotExist', [], undefined, true],
    ['DoesNotExist', [], 'a', false],
    ['Gt', ['9'], '10', true],
    ['Gt', ['10'], '10', false],
    ['Gt', ['10'], undefined, false],
    ['Lt', ['10'], '9', true],
    ['Lt', ['9'], '10', false],
    ['Near', ['a'], 'a', false],
  ])('%s %j of %j: %s', (operator, values, value, holds) => {
    expect(meetsRequirement({ key: 'k', operator, values }, value)).toBe(holds);
  });
});
