import { describe, expect, it } from 'vitest';
import { humanDuration, shortAccessModes } from './columns.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe('an age', () => {
  it.each([
    [-2 * second, '<invalid>'],
    [-second, '0s'],
    [0, '0s'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [3 * minute + 5 * second, '3m5s'],
    [10 * minute + 5 * second, '10m'],
    [179 * minute, '179m'],
    [3 * hour, '3h'],
    [3 * hour + 30 * minute, '3h30m'],
    [9 * hour + 30 * minute, '9h'],
    [2 * day + 3 * hour, '2d3h'],
    [8 * day + 3 * hour, '8d'],
    [729 * day, '729d'],
    [2 * 365 * day + 30 * day, '2y30d'],
    [9 * 365 * day, '9y'],
  ])('of %i ms is %s', (ms, text) => {
    expect(humanDuration(ms)).toBe(text);
  });
});

describe('access modes', () => {
  it('are short, in one order, each once', () => {
    expect(shortAccessModes(['ReadWriteMany', 'ReadWriteOnce', 'ReadWriteMany'])).toBe('RWO,RWX');
  });
});
