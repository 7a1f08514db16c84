import { describe, expect, it } from 'vitest';
import { errorMessage } from './errors.ts';

describe('errorMessage', () => {
  it('adds causes that say something new', () => {
    const root = new Error('connection refused');
    expect(errorMessage(new Error('cannot list claims', { cause: root }))).toBe(
      'cannot list claims: connection refused',
    );
    expect(errorMessage(new Error('failed: connection refused', { cause: root }))).toBe('failed: connection refused');
  });

  it('reads errors without a message', () => {
    expect(errorMessage(new AggregateError([new Error('v4 refused'), new Error('v6 refused')]))).toBe(
      'v4 refused; v6 refused',
    );
    expect(errorMessage(new TypeError())).toBe('TypeError');
  });

  it('reads what is no error', () => {
    expect(errorMessage('text')).toBe('text');
    expect(errorMessage(undefined)).toBe('undefined');
    expect(errorMessage(null)).toBe('null');
    expect(errorMessage({ message: 'from a library' })).toBe('from a library');
    expect(errorMessage({})).toBe('[object Object]');
  });

  it('ends on a circle of causes', () => {
    const error = new Error('a');
    error.cause = error;
    expect(errorMessage(error)).toBe('a');
  });
});
