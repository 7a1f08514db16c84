import { describe, expect, it } from 'vitest';
import { OptionError, parseOptions } from './options.ts';

describe('parseOptions', () => {
  it('has nothing on by default', () => {
    expect(parseOptions([])).toEqual({ keep: false, kills: [], help: false });
  });

  it('reads --keep and every --kill, with publish as the default step', () => {
    expect(parseOptions(['--keep', '--kill=driver', '--kill=attacher@attach'])).toEqual({
      keep: true,
      help: false,
      kills: [
        { program: 'driver', step: 'publish' },
        { program: 'attacher', step: 'attach' },
      ],
    });
  });

  it.each([
    ['--kil=driver', 'no option "--kil=driver"'],
    ['keep', 'no option "keep"'],
    ['--kill=snapshotter', 'no program "snapshotter"; there are: driver'],
    ['--kill=driver@lunch', 'no step "lunch"; there are: create'],
  ])('refuses %s by name', (arg, message) => {
    expect(() => parseOptions([arg])).toThrow(OptionError);
    expect(() => parseOptions([arg])).toThrow(message);
  });
});
