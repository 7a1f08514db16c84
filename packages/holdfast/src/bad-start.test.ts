import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ScriptedDriver, startScriptedDriver } from '@holdfast/sandbox/testing';
import { type RunningProgram, serveIdentity, spawnProgram } from '@holdfast/sidecar/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

const TOKEN = 'token-that-nobody-may-see';
/** Programs that talk to the API server, with their exit code when the kubeconfig is no use: klog.Fatal's in csi-provisioner. */
const controllers: [program: string, exitCode: number][] = [
  ['external-provisioner', 255],
  ['external-attacher', 1],
  ['external-resizer', 1],
];

let dir: string;
let driver: ScriptedDriver;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hf-start-'));
  driver = await startScriptedDriver({ dir });
});
afterAll(async () => {
  await driver.stop();
  await rm(dir, { recursive: true, force: true });
});

function run(name: string, ...args: string[]): RunningProgram {
  const bin = join(import.meta.dirname, '..', '..', name, 'src', 'bin.ts');
  const program = spawnProgram(bin, args, { KUBECONFIG: '', KUBERNETES_SERVICE_HOST: '' });
  onTestFinished(() => program.kill('SIGKILL'));
  return program;
}

/** One line says it: no stack, no credential. */
function expectOneClearError(program: RunningProgram, says: string | RegExp): void {
  const lines = program.stderr().trimEnd().split('\n');
  expect(lines.filter((line) => line.startsWith('E'))).toHaveLength(1);
  expect(lines.at(-1)).toMatch(says);
  expect(program.stderr()).not.toMatch(/^\s+at /m);
  expect(program.stderr()).not.toContain(TOKEN);
}

const kubeconfig = (server: string, currentContext: string): string => `
apiVersion: v1
kind: Config
current-context: "${currentContext}"
clusters: [{ name: here, cluster: { server: "${server}" } }]
users: [{ name: me, user: { token: ${TOKEN} } }]
contexts: [{ name: here, context: { cluster: here, user: me } }]
`;

describe('an unknown flag ends with 2, its name and the usage', () => {
  it.each<[string, string[], RegExp]>([
    ['sandbox', ['apiserver'], /^unknown flag: --no-such-flag\nUsage of holdfast-sandbox/],
    ['sandbox', ['kubelet'], /^unknown flag: --no-such-flag\nUsage of holdfast-sandbox/],
    ['holdfast', ['demo'], /^holdfast demo: no option "--no-such-flag"\nusage: holdfast demo/],
    ['holdfast', [], /^holdfast: no command "--no-such-flag"\nusage: holdfast demo/],
  ])('%s %j', async (name, words, says) => {
    const program = run(name, ...words, '--no-such-flag');
    expect(await program.exitCode).toBe(2);
    expect(program.stderr()).toMatch(says);
    expect(program.stdout()).toBe('');
  });
});

describe('a kubeconfig', () => {
  it.each<[string, (path: string) => Promise<unknown>, RegExp]>([
    ['that is absent', async () => {}, /that-is-absent cannot be read: ENOENT.* Pass --kubeconfig=FILE/],
    ['that is a folder', (path) => mkdir(path), /cannot be read: EISDIR.* Pass --kubeconfig=FILE/],
    // Root reads a file of mode 000, but not one that is a link to itself.
    ['that cannot be read', (path) => symlink(path, path), /cannot be read: ELOOP.* Pass --kubeconfig=FILE/],
    ['that is empty', (path) => writeFile(path, ''), /is empty: write it with \\"kubectl config view --raw\\"/],
    [
      'that is no YAML',
      (path) => writeFile(path, `token: ${TOKEN}\n\t: [`),
      /is not valid YAML \(line \d\): correct it/,
    ],
    ['that is a text', (path) => writeFile(path, TOKEN), /is not a kubeconfig: expected a mapping with clusters/],
    [
      'without a context',
      (path) => writeFile(path, kubeconfig('http://127.0.0.1:1', '')),
      /has no current-context: set one with \\"kubectl config use-context NAME\\"/,
    ],
    [
      'of another context',
      (path) => writeFile(path, kubeconfig('http://127.0.0.1:1', 'gone')),
      /has no entry \\"gone\\" under contexts: add it or choose another/,
    ],
  ])('%s is named, with the remedy', async (what, make, says) => {
    const path = join(dir, what.replaceAll(' ', '-'));
    await make(path);
    const program = run('external-attacher', `--kubeconfig=${path}`, `--csi-address=${driver.socketPath}`);
    expect(await program.exitCode).toBe(1);
    expectOneClearError(program, says);
    expect(program.stderr()).toContain(path);
  });

  it.each(controllers)('that is no use ends %s with %d', async (name, exitCode) => {
    const program = run(name, `--kubeconfig=${join(dir, 'nowhere')}`, `--csi-address=${driver.socketPath}`);
    expect(await program.exitCode).toBe(exitCode);
    expectOneClearError(program, /nowhere cannot be read: ENOENT.* Pass --kubeconfig=FILE/);
  });

  it('that is absent is waited for by the sandbox’s kubelet, which says so', async () => {
    const path = join(dir, 'not-yet');
    const flags = [`--kubeconfig=${path}`, '--node-name=a', `--root-dir=${join(dir, 'kubelet')}`];
    const program = run('sandbox', 'kubelet', ...flags);
    await program.logged(/"Waiting for the kubeconfig, which the API server writes" path="\S+not-yet"/);
    program.kill('SIGTERM');
    expect(await program.exitCode).toBe(0);
  });

  it('whose server is down is asked again, and a signal ends the wait', async () => {
    const path = join(dir, 'down');
    await writeFile(path, kubeconfig('http://127.0.0.1:1', 'here'));
    const wait = async ([name]: [string, number]) => {
      const program = run(name, `--kubeconfig=${path}`, `--csi-address=${driver.socketPath}`);
      await program.logged(
        /GET http:\/\/127\.0\.0\.1:1\/\S+: connect ECONNREFUSED.*; is the API server running, and is/,
      );
      program.kill('SIGTERM');
      expect(await program.exitCode, name).toBe(0);
      expect(program.stderr()).not.toMatch(/^\s+at /m);
      expect(program.stderr()).not.toContain(TOKEN);
    };
    await Promise.all(controllers.map(wait));
  });
});

describe('a driver', () => {
  const sidecars: [program: string, exitCode: number, flags: string[]][] = [
    ...controllers.map(([name, exitCode]): [string, number, string[]] => [name, exitCode, ['--kubeconfig=KUBECONFIG']]),
    ['node-driver-registrar', 1, ['--kubelet-registration-path=/csi.sock', '--plugin-registration-path=DIR']],
    ['livenessprobe', 1, ['--http-endpoint=127.0.0.1:0']],
  ];
  const flagsOf = (flags: string[]) =>
    flags.map((flag) => flag.replace('KUBECONFIG', join(dir, 'unused')).replace('DIR', dir));
  beforeAll(() => writeFile(join(dir, 'unused'), kubeconfig('http://127.0.0.1:1', 'here')));

  it('without a name is refused by its socket', async () => {
    const nameless = await serveIdentity({ driverName: '' });
    onTestFinished(() => nameless.stop());
    const end = async ([name, exitCode, flags]: [string, number, string[]]) => {
      const program = run(name, `--csi-address=${nameless.socketPath}`, ...flagsOf(flags));
      expect(await program.exitCode, name).toBe(exitCode);
      expectOneClearError(program, /empty driver name: correct the driver, or name another socket with --csi-address/);
      expect(program.stderr()).toContain(nameless.socketPath);
    };
    await Promise.all(sidecars.map(end));
  });

  it('that is something else, which writes what is no gRPC, is told while waiting for it', async () => {
    const socket = join(dir, 'junk.sock');
    const server = createServer((peer) => peer.on('error', () => {}).end('220 mail.example ESMTP\r\n\0\xff'));
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    onTestFinished(() => void server.close());
    const wait = async ([name, , flags]: [string, number, string[]]) => {
      const program = run(name, `--csi-address=${socket}`, ...flagsOf(flags));
      await program.logged(
        /"Still connecting" address="\S+junk\.sock" reason="what listens there does not answer as a gRPC/,
      );
      program.kill('SIGTERM');
      expect(await program.exitCode, name).toBe(0);
    };
    await Promise.all(sidecars.map(wait));
  });
});
