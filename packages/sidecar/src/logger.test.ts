import { rpcError } from '@holdfast/rpc';
import { describe, expect, it } from 'vitest';
import { klogLine } from './klog-line.ts';
import { createLogger } from './logger.ts';

function capture(format: 'text' | 'json', verbosity = 0) {
  const lines: string[] = [];
  const log = createLogger({
    program: 'csi-demo',
    verbosity,
    format,
    destination: { write: (line) => lines.push(line) },
  });
  return { lines, log };
}

describe('klog text', () => {
  it('has the header of klog and its key="value" pairs', () => {
    const time = new Date(2026, 0, 2, 15, 4, 5, 67);
    const fields = { volume: 'pvc-1', size: 5n, count: 2, isReady: true, none: undefined, list: ['a'] };
    expect(klogLine({ severity: 'I', time, pid: 42, program: 'csi-demo', message: 'Created volume', fields })).toBe(
      'I0102 15:04:05.067000      42 csi-demo] "Created volume" volume="pvc-1" size="5" count=2 isReady=true none=<nil> list=["a"]\n',
    );
  });

  it('keeps a record on one line whatever it holds', () => {
    const { lines, log } = capture('text');
    log.error('two\nlines', { err: new Error('a "quoted"\nerror') });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^E\d{4} .*\] "two\\nlines" err="a \\"quoted\\"\\nerror"\n$/);
  });

  it('shows debug lines up to its verbosity', () => {
    const { lines, log } = capture('text', 4);
    log.debug(4, 'seen');
    log.debug(5, 'unseen');
    expect(lines).toHaveLength(1);
  });

  it('survives what JSON cannot show', () => {
    const { lines, log } = capture('text');
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    log.info('odd', { circle, call: () => {}, bytes: new Uint8Array(3), map: new Map([['k', 1n]]) });
    expect(lines[0]).toContain('bytes="<3 bytes>"');
    expect(lines[0]).toContain('map={"k":"1"}');
  });

  it('adds the fields of its parents', () => {
    const { lines, log } = capture('text');
    log.child({ driver: 'd' }).child({ claim: 'ns/c' }).warn('slow', { ms: 1 });
    expect(lines[0]).toMatch(/^W.* "slow" driver="d" claim="ns\/c" ms=1\n$/);
  });
});

describe('json', () => {
  it('has the keys of component-base', () => {
    const { lines, log } = capture('json', 5);
    log.debug(5, 'call', { request: { sizeBytes: 7n } });
    log.error('failed', { err: rpcError('NotFound', 'no such volume') });
    log.warn('slow');
    const [call, failed, slow] = lines.map((line): unknown => JSON.parse(line));
    expect(call).toMatchObject({ ts: expect.any(Number), msg: 'call', v: 5, request: { sizeBytes: '7' } });
    expect(failed).toMatchObject({ msg: 'failed', err: expect.stringContaining('no such volume') });
    expect(slow).toMatchObject({ level: 'warn', msg: 'slow' });
  });
});

describe.each(['text', 'json'] as const)('secrets in %s', (format) => {
  it('are never shown, at any depth', () => {
    const { lines, log } = capture(format);
    log.info('request', {
      secrets: { key: 'hunter2' },
      request: {
        secrets: { key: 'hunter2' },
        volumeContext: { 'csi.storage.k8s.io/serviceAccount.tokens': 'hunter2' },
      },
      token: 'hunter2',
      Authorization: 'Bearer hunter2',
    });
    expect(lines[0]).not.toContain('hunter2');
    expect(lines[0]).toContain('***stripped***');
  });
});
