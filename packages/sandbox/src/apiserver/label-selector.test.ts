import { describe, expect, it } from 'vitest';
import { parseLabelSelector } from './label-selector.ts';

const labels = { app: 'a', n: '5', empty: '' };

describe('a label selector', () => {
  it.each([
    ['', true],
    ['app', true],
    ['!app', false],
    ['! other', true],
    ['app=a,n==5', true],
    ['app!=a', false],
    ['other!=a', true],
    ['empty=', true],
    ['app in (b, a)', true],
    ['app notin (a)', false],
    ['other notin (a)', true],
    ['empty in ()', true],
    ['n>4,n<6', true],
    ['n>5', false],
    ['app>1', false],
    ['in in (in)', false],
  ])('%j selects: %s', (text, expected) => {
    expect(parseLabelSelector(text)(labels)).toBe(expected);
  });

  it.each([
    ['app=a,', "found '', expected: identifier after ','"],
    [',', "found ',', expected: !, identifier, or 'end of string'"],
    ['app=a b', "found 'b', expected: ',' or 'end of string'"],
    ['app in a', "unable to parse requirement: found 'a' expected: '('"],
    ['app in (a', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['n>x', 'must be an integer'],
    ['-bad', 'Invalid value: "-bad": name part must consist of'],
    ['app=-bad', 'values[0][app]: Invalid value: "-bad": a valid label must be'],
  ])('%j is refused', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(message);
  });
});
