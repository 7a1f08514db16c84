import { describe, expect, it } from 'vitest';
import type { Part } from './arguments.ts';
import { turnsOf } from './measure-all.ts';
import { operationsFor } from './measure-load.ts';
import { flagsFor } from './programs.ts';

describe('operationsFor', () => {
  it.each<[Part[], string[]]>([
    [['provision'], ['provision']],
    [['attach'], ['provision', 'attach']],
    [['detach'], ['provision', 'attach', 'detach']],
    [['delete'], ['provision', 'delete']],
    [
      ['attach', 'delete'],
      ['provision', 'attach', 'detach', 'delete'],
    ],
    [['modify'], ['provision', 'modify']],
    [['full', 'reflector', 'node', 'one-process', 'slow-attach'], []],
  ])('does for %j what it builds on: %j', (parts, expected) => {
    expect(operationsFor(new Set(parts))).toEqual(expected);
  });
});

describe('turnsOf', () => {
  it('lets the makers begin by turns', () => {
    const turns = turnsOf({ makers: ['ours', 'upstream'], runs: 3 });
    expect(turns.map(({ maker, run }) => `${run} ${maker}`)).toEqual([
      '1 ours',
      '1 upstream',
      '2 upstream',
      '2 ours',
      '3 ours',
      '3 upstream',
    ]);
  });
});

describe('flagsFor', () => {
  it('adds nothing to the defaults', () => {
    expect(flagsFor('provisioner', 'default')).toEqual([]);
  });

  it('lifts the limits, by the name each sidecar has for it', () => {
    const limits = ['--kube-api-qps=2000', '--kube-api-burst=4000'];
    expect(flagsFor('attacher', 'unlimited')).toEqual([...limits, '--worker-threads=100']);
    expect(flagsFor('resizer', 'unlimited')).toEqual([...limits, '--workers=100']);
  });
});
