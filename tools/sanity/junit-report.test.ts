import { describe, expect, it } from 'vitest';
import { readJunitReport } from './junit-report.ts';
import { sortSkipped } from './skipped-specs.ts';

const report = (...cases: string[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites tests="${cases.length}"><testsuite name="CSI Driver Test Suite">` +
  `<properties><property name="SuiteSucceeded" value="true"></property></properties>${cases.join('\n')}</testsuite></testsuites>`;
const testcase = (name: string, status: string, inner = ''): string =>
  `<testcase name="${name}" classname="CSI Driver Test Suite" status="${status}" time="0.1">${inner}</testcase>`;
const skippedCase = (name: string, reason: string): string =>
  testcase(name, 'skipped', `<skipped message="skipped - ${reason}"></skipped>`);

describe("csi-sanity's report", () => {
  it('gives one result per spec, with its reason or message', () => {
    const text = report(
      testcase('[It] Node should work', 'passed', '<system-err>&gt; Enter status=&#34;failed&#34;</system-err>'),
      skippedCase('[It] GetSnapshot a', 'GetSnapshot not supported'),
      testcase('[It] pages', 'pending', '<skipped message="pending"></skipped>'),
      testcase(
        '[It] a &lt;b&gt;',
        'failed',
        '<failure message="Expected&#xA;  &lt;int&gt;: 1" type="failed">x</failure>',
      ),
    );
    expect(readJunitReport(text)).toEqual([
      { kind: 'passed', name: 'Node should work' },
      { kind: 'skipped', name: 'GetSnapshot a', reason: 'GetSnapshot not supported' },
      { kind: 'pending', name: 'pages' },
      { kind: 'failed', name: 'a <b>', message: 'Expected\n  <int>: 1' },
    ]);
  });

  it('counts as failed whatever did not end well, and a set-up step only then', () => {
    const text = report(
      testcase('[BeforeSuite]', 'passed'),
      testcase('[AfterSuite]', 'timedout'),
      testcase('[It] a', 'panicked', '<error message="nil pointer" type="panicked"></error>'),
      testcase('[It] b', 'interrupted'),
    );
    expect(readJunitReport(text)).toEqual([
      { kind: 'failed', name: '[AfterSuite]', message: 'timedout' },
      { kind: 'failed', name: 'a', message: 'nil pointer' },
      { kind: 'failed', name: 'b', message: 'interrupted' },
    ]);
  });

  it('that ends half-way is refused', () => {
    expect(() => readJunitReport('')).toThrow('missing or incomplete');
    expect(() => readJunitReport(report(testcase('[It] a', 'passed')).slice(0, -5))).toThrow('missing or incomplete');
  });
});

describe('the specs that were skipped', () => {
  it('are listed by the capability that the driver lacks', () => {
    const { byCapability, unexplained } = sortSkipped(
      readJunitReport(
        report(
          skippedCase('[It] Node stage', 'NodeStageVolume not supported'),
          skippedCase('[It] CreateVolume from a snapshot', 'Snapshot not supported'),
          skippedCase('[It] CreateSnapshot a', 'CreateSnapshot not supported'),
          testcase('[It] b', 'passed'),
        ),
      ),
      [],
    );
    expect([...byCapability]).toEqual([
      ['controller CREATE_DELETE_SNAPSHOT', ['CreateSnapshot a', 'CreateVolume from a snapshot']],
      ['node STAGE_UNSTAGE_VOLUME', ['Node stage']],
    ]);
    expect(unexplained).toEqual([]);
  });

  it('are unexplained where no capability is the reason, or one that the backend has', () => {
    const limit = { name: 'limit', reason: 'No MaxVolumesPerNode' };
    const create = { name: 'create', reason: 'CreateVolume not supported' };
    const stage = { name: 'stage', reason: 'NodeStageVolume not supported' };
    const results = [limit, create, stage].map((one) => ({ kind: 'skipped', ...one }) as const);
    expect(sortSkipped(results, ['node STAGE_UNSTAGE_VOLUME'])).toEqual({
      byCapability: new Map(),
      unexplained: [limit, create, stage],
    });
    expect(sortSkipped(results, ['node EXPAND_VOLUME']).unexplained).toEqual([limit, create]);
  });
});
