import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rpcError } from '@holdfast/rpc';
import {
  type IdentityDouble,
  type RunningProgram,
  runScript,
  serveIdentity,
  spawnProgram,
} from '@holdfast/sidecar/testing';
import { describe, expect, it, onTestFinished } from 'vitest';

const bin = join(import.meta.dirname, 'bin.ts');

async function driverWith(options: Parameters<typeof serveIdentity>[0] = {}): Promise<IdentityDouble> {
  const driver = await serveIdentity(options);
  onTestFinished(() => driver.stop());
  return driver;
}

function run(...args: string[]): RunningProgram {
  const program = spawnProgram(bin, args);
  onTestFinished(() => program.kill('SIGKILL'));
  return program;
}

/** Runs beside a driver; resolves with the base URL once it listens. */
async function listening(program: RunningProgram): Promise<string> {
  const [, port] = await program.logged(/"HTTP server is listening".* port=(\d+)/);
  return `http://127.0.0.1:${port}`;
}

async function get(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url);
  return { status: response.status, text: await response.text() };
}

describe('command line', () => {
  it.each([['--no-such-flag'], ['--version']])('exits 2 on %s, which it does not have', async (argument) => {
    const program = run(argument);
    expect(await program.exitCode).toBe(2);
    expect(program.stderr()).toContain(`flag provided but not defined: ${argument.slice(1)}`);
    expect(program.stderr()).toContain('Usage of livenessprobe:');
  });

  it.each([
    [['--health-port=9000', '--http-endpoint=:1'], /only one of --health-port and --http-endpoint/],
    [['--metrics-address=:2', '--http-endpoint=:1'], /only one of --metrics-address and --http-endpoint/],
    [['--probe-timeout=0s'], /--probe-timeout: must be greater than zero/],
    [['--csi-address=tcp://127.0.0.1:1'], /not a unix socket/],
  ])('exits 1 on %j', async (args, message) => {
    const program = run(...args);
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toMatch(message);
  });

  it('exits 1 when the address is taken', async () => {
    const driver = await driverWith();
    const { host } = new URL(await listening(run(`--csi-address=${driver.socketPath}`, '--http-endpoint=127.0.0.1:0')));
    const second = run(`--csi-address=${driver.socketPath}`, `--http-endpoint=${host}`);
    expect(await second.exitCode).toBe(1);
    expect(second.stderr()).toContain(`cannot listen on ${host}`);
  });
});

describe('start', () => {
  it('waits for a driver that comes late, without listening before', async () => {
    const driver = await driverWith({ isDown: true });
    const program = run(`--csi-address=${driver.socketPath}`, '--http-endpoint=127.0.0.1:0');
    await program.logged(/"Version"/);
    expect(program.stderr()).not.toContain('listening');
    await driver.start();
    expect(await get(`${await listening(program)}/healthz`)).toEqual({ status: 200, text: 'ok' });
  });

  it('ends with 0 on SIGTERM while it waits', async () => {
    const driver = await driverWith({ isDown: true });
    const program = run(`--csi-address=${driver.socketPath}`);
    await program.logged(/"Version"/);
    program.kill('SIGTERM');
    expect(await program.exitCode).toBe(0);
  });

  it('exits 1 when the driver cannot tell its name', async () => {
    const driver = await driverWith({ driverName: '' });
    const program = run(`--csi-address=${driver.socketPath}`);
    expect(await program.exitCode).toBe(1);
    expect(program.stderr()).toContain('empty driver name');
  });
});

describe('/healthz', () => {
  async function healthOf(
    probe: () => Promise<{ ready: boolean | undefined }>,
    ...args: string[]
  ): Promise<{ driver: IdentityDouble; url: string; program: RunningProgram }> {
    const driver = await driverWith({ identity: { probe } });
    const program = run(`--csi-address=${driver.socketPath}`, '--http-endpoint=127.0.0.1:0', ...args);
    return { driver, program, url: `${await listening(program)}/healthz` };
  }

  it.each([true, undefined])('is ok when ready is %s', async (ready) => {
    const { url } = await healthOf(() => Promise.resolve({ ready }));
    expect(await get(url)).toEqual({ status: 200, text: 'ok' });
  });

  it('is 500 when the driver is not ready', async () => {
    const { url } = await healthOf(() => Promise.resolve({ ready: false }));
    expect(await get(url)).toEqual({ status: 500, text: 'driver responded but is not ready' });
  });

  it('is 500 with the error when the probe fails', async () => {
    const { url } = await healthOf(() => Promise.reject(rpcError('FailedPrecondition', 'no backend')));
    expect(await get(url)).toMatchObject({ status: 500, text: expect.stringContaining('no backend') });
  });

  it('is 500 when the probe takes longer than --probe-timeout', async () => {
    const { url } = await healthOf(() => new Promise(() => {}), '--probe-timeout=200ms');
    expect(await get(url)).toMatchObject({ status: 500, text: expect.stringContaining('no answer within') });
  });

  it('is 500 while the socket is gone, and ok once it is back: no connection is kept', async () => {
    const { url, driver } = await healthOf(() => Promise.resolve({ ready: true }), '--probe-timeout=300ms');
    expect((await get(url)).status).toBe(200);
    await driver.takeDown();
    expect(await get(url)).toMatchObject({ status: 500, text: expect.stringContaining(driver.socketPath) });
    await driver.start();
    expect((await get(url)).status).toBe(200);
  });

  it('has one call before a driver that hangs, however many ask and give up, and asks anew after it', async () => {
    let calls = 0;
    let answer: (reply: { ready: boolean }) => void = () => {};
    const entered = Promise.withResolvers<void>();
    const { url } = await healthOf(() => {
      calls += 1;
      entered.resolve();
      return new Promise((resolve) => {
        answer = resolve;
      });
    }, '--probe-timeout=1h');
    const impatient = new AbortController();
    const gone = fetch(url, { signal: impatient.signal }).catch(() => 'gave up');
    await entered.promise;
    impatient.abort();
    expect(await gone).toBe('gave up');
    const asked = Array.from({ length: 20 }, () => get(url));
    // Each request has been taken when one that came after it is answered.
    expect((await get(url.replace('/healthz', '/metrics'))).status).toBe(200);
    answer({ ready: false });
    for (const { status } of await Promise.all(asked)) expect(status).toBe(500);
    expect(calls).toBe(1);
    const later = get(url);
    await expect.poll(() => calls, { timeout: 20_000 }).toBe(2);
    answer({ ready: true });
    expect(await later).toEqual({ status: 200, text: 'ok' });
  });

  it('answers within --probe-timeout while the driver is stopped in its tracks', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-stopped-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const socket = join(folder, 'csi.sock');
    const urlOf = (name: string): string =>
      JSON.stringify(pathToFileURL(join(import.meta.dirname, '..', '..', name, 'src', 'index.ts')).href);
    const driver = runScript(`
      const { bindService, serveUnix } = await import(${urlOf('rpc')});
      const { IdentityService } = await import(${urlOf('csi-spec')});
      const log = { debug() {}, info() {}, warn() {}, error() {}, isEnabled: () => false };
      const handlers = {
        getPluginInfo: async () => ({ name: 'demo.csi.holdfast', vendorVersion: '1', manifest: {} }),
        probe: async () => ({ ready: true }),
      };
      await serveUnix({ address: '${socket}', services: [bindService(IdentityService, handlers)], log });
    `);
    onTestFinished(() => driver.kill('SIGKILL'));
    const program = run(`--csi-address=${socket}`, '--http-endpoint=127.0.0.1:0', '--probe-timeout=1s');
    const url = `${await listening(program)}/healthz`;
    expect((await get(url)).status).toBe(200);
    // The kernel still takes connections for it.
    driver.kill('SIGSTOP');
    expect((await get(url)).status).toBe(500);
    driver.kill('SIGCONT');
    await expect.poll(async () => (await get(url)).status, { timeout: 20_000 }).toBe(200);
  });

  it('ends with 0 on SIGTERM, while a probe hangs', async () => {
    const { url, program } = await healthOf(() => new Promise(() => {}), '--probe-timeout=1h', '-v=5');
    const hanging = fetch(url).catch(() => 'hung up');
    await program.logged(/Probe/);
    program.kill('SIGTERM');
    expect(await program.exitCode).toBe(0);
    expect(await hanging).toBe('hung up');
  });
});

describe('metrics', () => {
  const probeCount = /csi_sidecar_operations_seconds_count\{.*method_name="\/csi.v1.Identity\/Probe".*\} 1\b/;

  it('are on --http-endpoint, with the calls to the driver', async () => {
    const driver = await driverWith();
    const url = await listening(
      run(`--csi-address=${driver.socketPath}`, '--http-endpoint=127.0.0.1:0', '--metrics-path=/m'),
    );
    await get(`${url}/healthz`);
    const { text } = await get(`${url}/m`);
    expect(text).toMatch(probeCount);
    expect(text).toContain('driver_name="demo.csi.holdfast"');
    expect(text).toContain('process_start_time_seconds');
  });

  it('are on --metrics-address when that is set, and not beside /healthz', async () => {
    const driver = await driverWith();
    const program = run(`--csi-address=${driver.socketPath}`, '--metrics-address=127.0.0.1:0', '--health-port=0');
    const [, metrics, health] = await program.logged(/is listening".* port=(\d+)[^]*is listening".* port=(\d+)/);
    expect((await get(`http://127.0.0.1:${health}/healthz`)).status).toBe(200);
    expect((await get(`http://127.0.0.1:${health}/metrics`)).status).toBe(404);
    expect((await get(`http://127.0.0.1:${metrics}/metrics`)).text).toMatch(probeCount);
  });
});
