import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConnectionLostError, ExitError, RoleError } from './exit.ts';
import { defineFlags } from './flags.ts';
import { connectKube } from './kube-access.ts';
import { loggingFlags } from './logging-flags.ts';
import { type ProgramContext, type ProgramDeps, runProgram } from './run-program.ts';
import { standardFlags } from './standard-flags.ts';
import { runScript } from './testing/index.ts';

const flags = defineFlags({ ...standardFlags, ...loggingFlags });
type Deps = ProgramDeps<typeof flags.table>;

async function run(argv: readonly string[], start: Deps['start'] = async () => {}, more: Partial<Deps> = {}) {
  let stdout = '';
  let stderr = '';
  const code = await runProgram({
    name: 'csi-demo',
    flags,
    argv,
    syntax: 'go',
    start,
    env: {},
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    ...more,
  });
  return { code, stdout, stderr };
}

const mustNotStart = (): Promise<void> => Promise.reject(new Error('must not start'));

describe('before the start', () => {
  it('prints help and version to standard output and ends with 0', async () => {
    expect(await run(['--help'], mustNotStart)).toMatchObject({ code: 0, stdout: flags.help('csi-demo'), stderr: '' });
    expect(await run(['--version'], mustNotStart)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^csi-demo \d+\.\d+\.\d+\n$/),
    });
  });

  it('ends with 2 and the usage on an unknown flag', async () => {
    const { code, stderr, stdout } = await run(['--kubconfig=x'], mustNotStart);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(
      'flag provided but not defined: -kubconfig (did you mean --kubeconfig?)\nUsage of csi-demo:',
    );
  });

  it('ends with 1 and one line on a bad value', async () => {
    const { code, stderr } = await run(['--logging-format=json', '--vmodule=a=1'], mustNotStart);
    expect(code).toBe(1);
    expect(stderr).toBe('csi-demo: --vmodule works only with --logging-format=text\n');
  });

  it('logs what it ignores and what is deprecated, in the format asked for', async () => {
    const { code, stderr } = await run(['--logging-format=json', '--metrics-address=:1', 'word']);
    expect(code).toBe(0);
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines).toMatchObject([
      { msg: 'Version' },
      { level: 'warn', msg: '--metrics-address is deprecated: use --http-endpoint' },
      { level: 'warn', msg: expect.stringContaining('"word"') },
    ]);
  });
});

describe('the end', () => {
  it('is 0 after a clean end', async () => {
    expect((await run([])).code).toBe(0);
  });

  it('is what an ExitError says, else 1, with one line that says why', async () => {
    const exit = await run([], () => Promise.reject(new ExitError('no driver', { exitCode: 255 })));
    expect(exit).toMatchObject({ code: 255, stderr: expect.stringMatching(/^E.*"no driver"$/m) });
    const bug = await run([], () => Promise.reject(new TypeError('oops')));
    expect(bug).toMatchObject({ code: 1, stderr: expect.stringMatching(/^E.*"oops"$/m) });
    expect(bug.stderr).not.toContain('stack');
  });

  it('leaves the reason in the termination log when the driver is lost', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-term-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const terminationLog = join(folder, 'termination-log');
    const lost = (): Promise<void> => Promise.reject(new ConnectionLostError('Lost connection to CSI driver, exiting'));
    expect((await run([], lost, { terminationLog })).code).toBe(1);
    await expect(readFile(terminationLog)).rejects.toThrow('ENOENT');
    await writeFile(terminationLog, 'an older and much longer message that must not remain in part');
    expect((await run([], lost, { terminationLog })).code).toBe(1);
    expect(await readFile(terminationLog, 'utf8')).toBe('Lost connection to CSI driver, exiting');
  });

  it('ends as the one of several roles that failed would, and names it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-term-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const terminationLog = join(folder, 'termination-log');
    await writeFile(terminationLog, '');
    const fail = (cause: unknown) => run([], () => Promise.reject(new RoleError('csi-x', cause)), { terminationLog });
    const ended = await fail(new ExitError('cannot go on', { exitCode: 255 }));
    expect(ended.code).toBe(255);
    expect(ended.stderr.match(/^E.*$/gm)).toEqual([expect.stringMatching(/"cannot go on" role="csi-x"$/)]);
    expect(await readFile(terminationLog, 'utf8')).toBe('');
    expect((await fail(new ConnectionLostError('Lost connection'))).code).toBe(1);
    expect(await readFile(terminationLog, 'utf8')).toBe('Lost connection');
  });

  it('leaves no signal handlers', async () => {
    const before = process.listenerCount('SIGTERM');
    await run([]);
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});

describe('kubeconfig', () => {
  const connect =
    (isKubeconfigEnvHonoured: boolean): Deps['start'] =>
    async (values, context: ProgramContext) =>
      void (await connectKube({ values, context, isKubeconfigEnvHonoured }));

  it.each([1, 255])('that is missing ends with %i and names the file', async (fatalExitCode) => {
    const { code, stderr } = await run(['--kubeconfig=/no/such/config'], connect(false), { fatalExitCode });
    expect(code).toBe(fatalExitCode);
    expect(stderr.match(/^E.*$/gm)).toEqual([expect.stringContaining('/no/such/config')]);
  });

  it('that is absent outside a pod says what to do', async () => {
    const { code, stderr } = await run([], connect(false));
    expect(code).toBe(1);
    expect(stderr).toContain('kubeconfig');
  });

  it('from KUBECONFIG counts only where asked', async () => {
    const env = { KUBECONFIG: '/from/env' };
    expect((await run(['--kubeconfig=/from/flag'], connect(true), { env })).stderr).toContain('/from/env');
    expect((await run(['--kubeconfig=/from/flag'], connect(false), { env })).stderr).toContain('/from/flag');
  });
});

describe('signals', () => {
  const source = (start: string): string => {
    const file = (name: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, name)).href);
    return `
      import { untilAborted } from '@holdfast/core';
      const { runProgram } = await import(${file('run-program.ts')});
      const { defineFlags } = await import(${file('flags.ts')});
      const { loggingFlags } = await import(${file('logging-flags.ts')});
      const alive = setInterval(() => {}, 1000);
      process.exit(await runProgram({
        name: 'csi-demo', flags: defineFlags(loggingFlags), argv: [], syntax: 'go', start: ${start},
      }));`;
  };

  it.each(['SIGTERM', 'SIGINT'] as const)('%s lets the program drain and end with 0', async (signal) => {
    const program = runScript(
      source(`async (_, { log, signal }) => { log.info('up'); await untilAborted(signal); log.info('drained'); }`),
    );
    await program.logged(/"up"/);
    program.kill(signal);
    expect(await program.exitCode).toBe(0);
    expect(program.stderr()).toContain('"drained"');
  });

  it('a second signal ends a program that does not drain', async () => {
    const program = runScript(source(`async (_, { log }) => { log.info('up'); await new Promise(() => {}); }`));
    await program.logged(/"up"/);
    program.kill('SIGTERM');
    await program.logged(/"Stopping"/);
    program.kill('SIGTERM');
    expect(await program.exitCode).toBe(143);
  });
});
