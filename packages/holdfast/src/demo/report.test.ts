import { afterEach, describe, expect, it, vi } from 'vitest';
import { createReport } from './report.ts';

function record(isTTY: boolean) {
  const written: string[] = [];
  const report = createReport({ isTTY, write: (text) => written.push(text) });
  return { report, text: () => written.join('') };
}

afterEach(() => vi.unstubAllEnvs());

describe('report', () => {
  it('is plain lines in a log, without what is only waited for', () => {
    const { report, text } = record(false);
    report.waiting('the driver');
    report.step('attached', 12.4, 'to demo-node');
    report.note('kill -9 1');
    expect(text()).toBe(`  ✓ attached${' '.repeat(26)}    12 ms  to demo-node\n    kill -9 1\n`);
  });

  it('overwrites what was waited for on a terminal', () => {
    vi.stubEnv('NO_COLOR', undefined);
    const { report, text } = record(true);
    report.waiting('the driver');
    report.step('attached', 1500);
    expect(text()).toContain('the driver');
    expect(text().split('\r').at(-1)).toMatch(/✓\S* attached +1\.50 s/);
  });

  it('has neither colour nor a moving line where NO_COLOR is set', () => {
    vi.stubEnv('NO_COLOR', '1');
    const { report, text } = record(true);
    report.waiting('the driver');
    report.step('attached', 1500);
    expect(text()).toMatch(/^ {2}✓ attached +1\.50 s\n$/);
  });

  it('keeps beginning and end of a long path', () => {
    const { report, text } = record(false);
    report.step('staged', 1, `kubelet/${'x'.repeat(200)}/globalmount`);
    expect(text()).toMatch(/kubelet\/x+…x+\/globalmount\n$/);
    expect(text().length).toBeLessThan(130);
  });

  it('lines up a table', () => {
    const { report, text } = record(false);
    report.table([
      ['program', 'writes'],
      ['a', '1'],
    ]);
    expect(text()).toBe('    program  writes\n    a        1\n');
  });
});
