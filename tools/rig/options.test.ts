import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.ts';

describe('parseOptions', () => {
  it('starts a disk on the sandbox when nothing is said', () => {
    expect(parseOptions([])).toEqual({
      cluster: 'sandbox',
      backend: 'disk',
      sidecars: 'ours',
      nodes: 1,
      zone: undefined,
      help: false,
    });
  });

  it.each([
    ['--cluster=minikube', '--cluster=minikube: must be sandbox or kubernetes'],
    ['--nodes=none', '--nodes=none: must be a number from 1 to 20'],
    ['--backends=disk', "Unknown option '--backends'"],
  ])('refuses %s by name', (arg, message) => {
    expect(() => parseOptions([arg])).toThrow(message);
  });
});
