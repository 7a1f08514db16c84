import { describe, expect, it } from 'vitest';
import { parseArguments } from './arguments.ts';

const known = ['external-provisioner', 'external-attacher'];

describe('arguments of the sweep', () => {
  it('are names, all when there are none, and which points to look into', () => {
    expect(parseArguments([], known)).toEqual({ kind: 'given', names: known, only: undefined });
    expect(parseArguments(['external-attacher', '--only=before create'], known)).toEqual({
      kind: 'given',
      names: ['external-attacher'],
      only: 'before create',
    });
  });

  it.each([
    ['attacher', 'no sweep for "attacher"; there are: external-provisioner, external-attacher'],
    ['--sample', 'unknown argument --sample; there is --only=TEXT'],
  ])('refuse %s', (word, message) => {
    expect(parseArguments([word], known)).toEqual({ kind: 'wrong', message });
  });
});
