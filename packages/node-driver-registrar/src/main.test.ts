import { existsSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { silentLogger } from '@holdfast/core';
import { RegistrationService } from '@holdfast/csi-spec';
import { bindService, type Client, dialUnix, serveUnix } from '@holdfast/rpc';
import {
  type IdentityDouble,
  type RunningProgram,
  runScript,
  serveIdentity,
  spawnProgram,
} from '@holdfast/sidecar/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

const bin = join(import.meta.dirname, 'bin.ts');
const kubeletPath = '/var/lib/kubelet/plugins/demo/csi.sock';

interface Setup {
  readonly driver: IdentityDouble;
  readonly registrationSocket: string;
  run(...args: string[]): RunningProgram;
}

async function setUp(options: Parameters<typeof serveIdentity>[0] = {}): Promise<Setup> {
  const driver = await serveIdentity(options);
  onTestFinished(() => driver.stop());
  const registry = join(driver.folder, 'registry');
  await mkdir(registry);
  return {
    driver,
    registrationSocket: join(registry, 'demo.csi.holdfast-reg.sock'),
    run(...args) {
      const program = spawnProgram(bin, [
        `--csi-address=${driver.socketPath}`,
        `--plugin-registration-path=${registry}`,
        `--kubelet-registration-path=${kubeletPath}`,
        ...args,
      ]);
      onTestFinished(() => program.kill('SIGKILL'));
      return program;
    },
  };
}

/** As kubelet: waits for the socket, then a new connection for each call. */
async function asKubelet<T>(
  socket: string,
  ask: (client: Client<typeof RegistrationService>) => Promise<T>,
): Promise<T> {
  const connection = await dialUnix({ address: socket, log: silentLogger, timeoutMs: 20_000 });
  try {
    return await ask(connection.client(RegistrationService));
  } finally {
    connection.close();
  }
}

const call = { timeoutMs: 5000 };

describe('command line', () => {
  it('exits 2 with usage and a hint on an unknown flag', async () => {
    const program = spawnProgram(bin, ['--csi-adress=/x']);
    expect(await program.exitCode).toBe(2);
    expect(program.stderr()).toContain('flag provided but not defined: -csi-adress (did you mean --csi-address?)');
    expect(program.stderr()).toContain('Usage of csi-node-driver-registrar:');
  });

  it('exits 1 without the path for kubelet, in probe mode too', async () => {
    const programs = [spawnProgram(bin, []), spawnProgram(bin, ['--mode=kubelet-registration-probe'])];
    for (const program of programs) {
      expect(await program.exitCode).toBe(1);
      expect(program.stderr()).toContain('--kubelet-registration-path is required');
    }
  });

  it('exits 0 in probe mode without touching a driver', async () => {
    const program = spawnProgram(bin, [
      '--mode=kubelet-registration-probe',
      `--kubelet-registration-path=${kubeletPath}`,
    ]);
    expect(await program.exitCode).toBe(0);
  });

  it('prints its version before anything else', async () => {
    const program = spawnProgram(bin, ['--version']);
    expect(await program.exitCode).toBe(0);
    expect(program.stdout()).toMatch(/^csi-node-driver-registrar \d+\.\d+\.\d+\n$/);
  });

  it('exits 1 on two health addresses', async () => {
    const { run } = await setUp();
    const program = run('--http-endpoint=127.0.0.1:0', '--health-port=9');
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toContain('only one of --health-port and --http-endpoint');
  });
});

describe('driver', () => {
  it('that serves nowhere ends in exit 1 with a clear error', async () => {
    const main = pathToFileURL(join(import.meta.dirname, 'main.ts')).href;
    const argv = JSON.stringify(['--csi-address=/nowhere/csi.sock', `--kubelet-registration-path=${kubeletPath}`]);
    const program = runScript(
      `import { main } from '${main}'; process.exit(await main(${argv}, { connectTimeoutMs: 300 }));`,
    );
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toMatch(/cannot connect to the CSI driver: .*\/nowhere\/csi\.sock.*no such file/);
  });

  it.each(['', '../../etc/demo', 'a/b', 'x'.repeat(64)])('that calls itself %j is refused', async (driverName) => {
    const { run } = await setUp({ driverName });
    const program = run();
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toMatch(/empty driver name|is no driver name/);
  });

  it('that fails GetPluginInfo ends in exit 1', async () => {
    const { run } = await setUp({ identity: { getPluginInfo: () => Promise.reject(new Error('not today')) } });
    const program = run();
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toMatch(/cannot learn the name of the CSI driver at \S+: .*not today/);
  });

  it('that hangs on GetPluginInfo ends in exit 1 after --timeout', async () => {
    const { run } = await setUp({ identity: { getPluginInfo: () => new Promise(() => {}) } });
    const program = run('--timeout=100ms');
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toContain('no answer within 100ms');
  });

  it('may restart without the registration noticing', async () => {
    const { run, driver, registrationSocket } = await setUp();
    const program = run();
    await asKubelet(registrationSocket, (kubelet) => kubelet.getInfo({}, call));
    await driver.takeDown();
    await driver.start();
    const info = await asKubelet(registrationSocket, (kubelet) => kubelet.getInfo({}, call));
    expect(info.name).toBe('demo.csi.holdfast');
    program.kill('SIGTERM');
    expect(await program.exitCode).toBe(0);
  });
});

describe('kubelet', () => {
  it('is told who the driver is and where, on a socket for root alone', async () => {
    const { run, registrationSocket } = await setUp();
    run();
    const info = await asKubelet(registrationSocket, (kubelet) => kubelet.getInfo({}, call));
    expect(info).toEqual({
      type: 'CSIPlugin',
      name: 'demo.csi.holdfast',
      endpoint: kubeletPath,
      supportedVersions: ['1.0.0'],
    });
    expect(statSync(registrationSocket).mode & 0o077).toBe(0);
  });

  it('that refuses the driver makes it exit 1 after the answer, without its socket', async () => {
    const { run, registrationSocket } = await setUp();
    const program = run();
    const reply = await asKubelet(registrationSocket, (kubelet) =>
      kubelet.notifyRegistrationStatus({ pluginRegistered: false, error: 'name is taken' }, call),
    );
    expect(reply).toEqual({});
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toContain('kubelet did not register demo.csi.holdfast: name is taken');
    expect(existsSync(registrationSocket)).toBe(false);
  });

  it('that accepts it is answered, and nothing ends', async () => {
    const { run, registrationSocket } = await setUp();
    const program = run();
    await asKubelet(registrationSocket, async (kubelet) => {
      await kubelet.notifyRegistrationStatus({ pluginRegistered: true, error: '' }, call);
      await kubelet.getInfo({}, call);
    });
    program.kill('SIGTERM');
    expect(await program.exitCode).toBe(0);
  });
});

describe('registration socket', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('is removed on %s, and the exit code is 0', async (signal) => {
    const { run, registrationSocket } = await setUp();
    const program = run();
    await program.logged(/Listening/);
    expect(existsSync(registrationSocket)).toBe(true);
    program.kill(signal);
    expect(await program.exitCode).toBe(0);
    expect(existsSync(registrationSocket)).toBe(false);
  });

  it('is made again when it vanishes', async () => {
    const { run, registrationSocket } = await setUp();
    const program = run();
    await program.logged(/Listening/);
    await rm(registrationSocket);
    await program.logged(/vanished/);
    const info = await asKubelet(registrationSocket, (kubelet) => kubelet.getInfo({}, call));
    expect(info.name).toBe('demo.csi.holdfast');
    program.kill('SIGTERM');
    expect(await program.exitCode).toBe(0);
    expect(existsSync(registrationSocket)).toBe(false);
  });

  it('is taken over from one that still serves, whose end does not take it away for long', async () => {
    const { run, registrationSocket } = await setUp();
    const old = run();
    await old.logged(/Listening/);
    const young = run();
    await young.logged(/Removing an old registration socket[^]*Listening/);
    old.kill('SIGTERM');
    expect(await old.exitCode).toBe(0);
    expect(existsSync(registrationSocket)).toBe(true);
    const info = await asKubelet(registrationSocket, (kubelet) => kubelet.getInfo({}, call));
    expect(info.name).toBe('demo.csi.holdfast');
  });

  it('does not replace a file that is no socket', async () => {
    const { run, registrationSocket } = await setUp();
    writeFileSync(registrationSocket, 'precious');
    const program = run();
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toMatch(/cannot serve kubelet's registration: .*not a socket/);
    expect(existsSync(registrationSocket)).toBe(true);
  });

  it('names a folder that is missing', async () => {
    const { run } = await setUp();
    const program = run('--plugin-registration-path=/no/such/folder');
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toMatch(/\/no\/such\/folder.*does not exist/);
  });
});

describe('/healthz', () => {
  async function healthUrl(program: RunningProgram): Promise<string> {
    const [, port] = await program.logged(/"HTTP server is listening".* port=(\d+)/);
    await program.logged(/"Listening"/);
    return `http://127.0.0.1:${port}/healthz`;
  }

  it('says ok while the own socket answers', async () => {
    const { run } = await setUp();
    const response = await fetch(await healthUrl(run('--http-endpoint=127.0.0.1:0')));
    expect([response.status, await response.text()]).toEqual([200, 'ok']);
  });

  it('says 404 while the socket is missing, and ok when it is back', async () => {
    const { run, registrationSocket } = await setUp();
    const url = await healthUrl(run('--http-endpoint=127.0.0.1:0'));
    await rm(registrationSocket);
    const response = await fetch(url);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('does not exist');
    await vi.waitFor(async () => expect((await fetch(url)).status).toBe(200), { timeout: 10_000 });
  });

  it('says 500 when another program serves the socket, and when nobody does', async () => {
    const { run, registrationSocket } = await setUp();
    const url = await healthUrl(run('--http-endpoint=127.0.0.1:0', '--timeout=500ms'));
    await rm(registrationSocket);
    const other = await serveUnix({
      address: registrationSocket,
      services: [
        bindService(RegistrationService, {
          getInfo: async () => ({ type: 'CSIPlugin', name: 'other.driver', endpoint: '', supportedVersions: [] }),
        }),
      ],
      log: silentLogger,
    });
    onTestFinished(() => other.stop(0));
    const mismatch = await fetch(url);
    expect(mismatch.status).toBe(500);
    expect(await mismatch.text()).toContain('answers for driver "other.driver", not demo.csi.holdfast');
  });

  it('ends the program with 1 when its address is taken', async () => {
    const { run } = await setUp();
    const url = new URL(await healthUrl(run('--http-endpoint=127.0.0.1:0')));
    const second = run(`--http-endpoint=${url.host}`);
    expect(await second.exitCode).toBe(1);
    expect(second.stderr()).toContain(`cannot listen on ${url.host}`);
  });
});
