import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import { ExitError } from './exit.ts';
import { defineFlags } from './flags.ts';
import { loggingFlags } from './logging-flags.ts';
import { standardFlags } from './standard-flags.ts';

const flags = defineFlags({
  ...standardFlags,
  ...loggingFlags,
  'retry-interval-start': { type: 'duration', default: '1s', help: 'First delay after a failure.' },
  'worker-threads': {
    type: 'uint',
    default: 10,
    help: 'Workers.',
    schema: z.number().min(1, 'must be at least 1'),
  },
  'feature-gates': {
    type: 'gates',
    gates: { Topology: { default: true, stage: 'GA' }, Fast: { default: false, stage: 'alpha' } },
    exitCode: 255,
    help: 'Gates.',
  },
  old: { type: 'bool', default: false, deprecated: 'it does nothing', help: 'Old.' },
});

const go = { syntax: 'go' } as const;

function failure(argv: readonly string[]): unknown {
  try {
    return flags.parse(argv, go);
  } catch (error) {
    return error;
  }
}

describe('values', () => {
  it('have camel-case keys, and durations in milliseconds', () => {
    const values = flags.parse(['--retry-interval-start=250ms', '--kube-api-qps=2.5'], go);
    expect(values).toMatchObject({
      retryIntervalStartMs: 250,
      leaderElectionLeaseDurationMs: 15_000,
      workerThreads: 10,
      csiAddress: '/run/csi/socket',
      kubeApiQps: 2.5,
      leaderElection: false,
      leaderElectionLabels: {},
    });
    expectTypeOf(values.retryIntervalStartMs).toEqualTypeOf<number>();
    expectTypeOf(values.csiAddress).toEqualTypeOf<string>();
    expectTypeOf(values.featureGates.Topology).toEqualTypeOf<boolean>();
  });

  it('are those of another flag where that one is given, even with its default', () => {
    const pair = defineFlags({
      timeout: { type: 'duration', default: '10s', help: '' },
      'call-timeout': { type: 'duration', default: '5s', overriddenBy: 'timeout', help: '' },
    });
    expect(pair.parse([], go)).toEqual({ timeoutMs: 10_000, callTimeoutMs: 5000 });
    expect(pair.parse(['--call-timeout=1m'], go)).toEqual({ timeoutMs: 10_000, callTimeoutMs: 60_000 });
    expect(pair.parse(['--call-timeout=1m', '--timeout=10s'], go)).toEqual({
      timeoutMs: 10_000,
      callTimeoutMs: 10_000,
    });
  });

  it('refuse what a schema refuses, with exit code 1', () => {
    const error = failure(['--worker-threads=0']);
    expect(error).toBeInstanceOf(ExitError);
    expect(error).toMatchObject({ exitCode: 1, message: 'invalid value for --worker-threads: must be at least 1' });
  });

  it.each([
    ['--logging-format=xml', /text or json/],
    ['--log-flush-frequency=0s', /greater than zero/],
    ['--log-text-split-stream', /LoggingAlphaOptions/],
    ['--metrics-path=metrics', /must start with \//],
    ['--csi-address=/a\0b', /NUL/],
    ['--vmodule=a', /pattern=N/],
  ])('refuse %s', (argument, message) => {
    const error = failure([argument]);
    expect(error).toBeInstanceOf(ExitError);
    expect(error).toMatchObject({ exitCode: 1, message: expect.stringMatching(message) });
  });

  it('refuse both addresses of the metrics server', () => {
    expect(failure(['--http-endpoint=:1', '--metrics-address=:2'])).toMatchObject({
      exitCode: 1,
      message: expect.stringContaining('only one of --metrics-address and --http-endpoint'),
    });
    expect(flags.parse(['--metrics-address=:2'], go).metricsAddress).toBe(':2');
  });
});

describe('feature gates', () => {
  it('start from their defaults', () => {
    expect(flags.parse(['--feature-gates=Fast=true'], go).featureGates).toEqual({ Topology: true, Fast: true });
    expect(flags.parse(['--feature-gates=Topology=false'], go).featureGates).toEqual({ Topology: false, Fast: false });
  });

  it('follow AllAlpha unless named themselves', () => {
    expect(flags.parse(['--feature-gates=AllAlpha=true,AllBeta=true'], go).featureGates.Fast).toBe(true);
    expect(flags.parse(['--feature-gates=AllAlpha=true,Fast=false'], go).featureGates.Fast).toBe(false);
  });

  it("refuse an unknown one with the program's exit code", () => {
    expect(failure(['--feature-gates=Topologie=true'])).toMatchObject({
      exitCode: 255,
      message: expect.stringMatching(/unrecognized feature gate: Topologie.*Topology\?/),
    });
  });
});

describe('command line', () => {
  it('knows --version and --help without checking the other values', () => {
    expect(flags.read(['--worker-threads=0', '--version'], go).isVersion).toBe(true);
    expect(flags.read(['--worker-threads=0', '--help'], go).isHelp).toBe(true);
  });

  it('warns of deprecated flags and ignored words', () => {
    const { warnings } = flags.read(['--old', 'true', '--v=2'], go);
    expect(warnings).toEqual([
      '--old is deprecated: it does nothing',
      expect.stringMatching(/Ignoring "true --v=2".*--flag=true/),
    ]);
  });
});

describe('help and docs', () => {
  it('name every flag with its default, own flags first', () => {
    const help = flags.help('csi-demo');
    expect(help).toMatch(/^Usage of csi-demo:\n\nFlags:\n/);
    expect(help).toContain('  --retry-interval-start duration\n        First delay after a failure. (default 1s)\n');
    expect(help).toContain('Topology (GA, true)');
    expect(help).toContain('-v, --v int');
    for (const name of Object.keys(flags.table)) expect(help).toContain(`--${name}`);
    expect(help.indexOf('--worker-threads')).toBeLessThan(help.indexOf('--kubeconfig'));
  });

  it('make a table with a row for each flag', () => {
    const rows = flags.markdown().trimEnd().split('\n');
    expect(rows).toHaveLength(Object.keys(flags.table).length + 2);
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    const cells = rows.map((row) => row.split('|').map((text) => text.trim()));
    expect(cells).toContainEqual(['', '`--worker-threads`', 'uint', '`10`', 'Workers.', '']);
    expect(cells).toContainEqual(['', '`--old`', 'bool', '`false`', 'Deprecated: it does nothing. Old.', '']);
  });
});
