import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@holdfast/core';
import { IdentityService, RegistrationService } from '@holdfast/csi-spec';
import { dialUnix } from '@holdfast/rpc';
import { serveIdentity, spawnProgram } from '@holdfast/sidecar/testing';
import { expect, it, onTestFinished, vi } from 'vitest';

const bin = join(import.meta.dirname, '..', 'bin.ts');
const call = { timeoutMs: 20_000 };

async function startNode(...args: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'hf-node-'));
  const registry = join(folder, 'registry');
  await mkdir(registry);
  const program = spawnProgram(
    bin,
    [
      'node',
      '--kubelet-registration-path=/var/lib/kubelet/plugins/dir/csi.sock',
      `--plugin-registration-path=${registry}`,
      '--http-endpoint=127.0.0.1:0',
      ...args.map((arg) => arg.replace('FOLDER', folder)),
    ],
    { CSI_ENDPOINT: '' },
  );
  onTestFinished(async () => {
    program.kill('SIGKILL');
    await program.exitCode;
    await rm(folder, { recursive: true, force: true });
  });
  const [, port = ''] = await program.logged(/"HTTP server is listening".* port=(\d+)/);
  const ask = async (path: string) => {
    const reply = await fetch(`http://127.0.0.1:${port}${path}`);
    return `${reply.status} ${await reply.text()}`;
  };
  return { folder, registry, program, ask };
}

async function dialled(socket: string) {
  const connection = await dialUnix({ address: socket, log: silentLogger, timeoutMs: 30_000 });
  onTestFinished(() => connection.close());
  return connection;
}

it('holdfast node serves a driver, registers it, and answers for both', { timeout: 120_000 }, async () => {
  const flags = ['--backend=dir', '--node-id=here', '--endpoint=unix://FOLDER/csi.sock', '--pool-dir=FOLDER/pool'];
  const { folder, registry, program, ask } = await startNode(...flags);
  const registration = join(registry, 'dir.csi.holdfast-reg.sock');
  const kubelet = (await dialled(registration)).client(RegistrationService);
  expect(await kubelet.getInfo({}, call)).toMatchObject({
    name: 'dir.csi.holdfast',
    endpoint: '/var/lib/kubelet/plugins/dir/csi.sock',
  });
  const driver = (await dialled(join(folder, 'csi.sock'))).client(IdentityService);
  expect(await driver.getPluginInfo({}, call)).toMatchObject({ name: 'dir.csi.holdfast' });

  await vi.waitFor(async () => expect(await ask('/healthz')).toBe('200 ok'), { timeout: 30_000 });
  expect(await ask('/metrics')).toContain('csi_plugin_operations_seconds_count');
  await rename(registration, `${registration}.away`);
  expect(await ask('/healthz')).toMatch(/^404 registrar: /);
  expect(await ask('/healthz/livenessprobe')).toBe('200 ok');
  await rename(`${registration}.away`, registration);

  program.kill('SIGTERM');
  expect(await program.exitCode, program.stderr()).toBe(0);
  expect(existsSync(registration)).toBe(false);
});

it('without the driver it stands beside another one, and ends when kubelet refuses it', {
  timeout: 120_000,
}, async () => {
  const other = await serveIdentity({ driverName: 'other.csi.example' });
  onTestFinished(() => other.stop());
  const { registry, program, ask } = await startNode(
    '--roles=registrar,livenessprobe',
    `--csi-address=${other.socketPath}`,
  );
  const kubelet = (await dialled(join(registry, 'other.csi.example-reg.sock'))).client(RegistrationService);
  await vi.waitFor(async () => expect(await ask('/healthz')).toBe('200 ok'), { timeout: 30_000 });
  await kubelet.notifyRegistrationStatus({ pluginRegistered: false, error: 'no such node' }, call);
  expect(await program.exitCode).toBe(1);
  expect(program.stderr()).toMatch(/kubelet did not register other.*no such node.*role="csi-node-driver-registrar"/);
});
