import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@holdfast/core';
import { ControllerService, CreateVolumeRequest, VolumeCapability_AccessMode_Mode as Mode } from '@holdfast/csi-spec';
import { dialUnix } from '@holdfast/rpc';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..', '..');
const bin = join(root, 'packages', 'holdfast', 'src', 'bin.ts');
const name = 'box.csi.example.com';

let dir: string;
beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-new-')));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function holdfast(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [bin, ...args], {
    cwd: dir,
    encoding: 'utf8',
    env: { ...process.env, INIT_CWD: dir },
  });
}

/** What `npm install` would link, from what the project has installed. */
async function linkModules(folder: string): Promise<void> {
  const { dependencies, devDependencies } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  for (const [module, version] of Object.entries<string>({ ...dependencies, ...devDependencies })) {
    const source = version.startsWith('file:')
      ? join(folder, version.slice('file:'.length))
      : join(root, 'node_modules', module);
    expect(existsSync(join(source, 'package.json'))).toBe(true);
    const link = join(folder, 'node_modules', module);
    await mkdir(join(link, '..'), { recursive: true });
    await symlink(source, link);
  }
}

test('a new driver type-checks, serves under its name, and makes and removes a volume', {
  timeout: 120_000,
}, async () => {
  expect(holdfast('new', 'driver', name)).toMatchObject({ status: 0, stderr: '' });
  const folder = join(dir, name);
  await linkModules(folder);
  const checked = spawnSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc')], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(checked).toMatchObject({ status: 0, stdout: '' });

  const [address, pool] = [join(dir, 'csi.sock'), join(dir, 'volumes')];
  const driver = spawn(process.execPath, ['src/driver.ts'], {
    cwd: folder,
    env: { ...process.env, CSI_ENDPOINT: `unix://${address}`, NODE_ID: 'node-a', POOL: pool },
    stdio: 'inherit',
  });
  onTestFinished(() => void driver.kill('SIGKILL'));
  const connection = await dialUnix({ address, log: silentLogger, timeoutMs: 60_000 });
  onTestFinished(() => connection.close());
  const options = { timeoutMs: 30_000 };
  const controller = connection.client(ControllerService);
  const { volume } = await controller.createVolume(
    CreateVolumeRequest.fromPartial({
      name: 'one',
      volumeCapabilities: [
        { accessType: { $case: 'mount', value: {} }, accessMode: { mode: Mode.SINGLE_NODE_WRITER } },
      ],
    }),
    options,
  );
  expect(volume?.accessibleTopology).toEqual([{ segments: { [`${name}/node`]: 'node-a' } }]);
  expect(await readdir(pool)).toEqual(['one']);
  await controller.deleteVolume({ volumeId: 'one', secrets: {} }, options);
  expect(await readdir(pool)).toEqual([]);
});

test('nothing that exists is touched', async () => {
  expect(holdfast('new', 'driver', name, 'mine').status).toBe(0);
  const again = holdfast('new', 'driver', name, 'mine');
  expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining(`${join(dir, 'mine')} exists already`) });
});

test.each([
  [['new'], 'usage: holdfast new driver NAME'],
  [['new', 'sidecar', name], 'cannot make a new sidecar'],
  [['new', 'driver'], 'usage: holdfast new driver NAME'],
  [['new', 'driver', name, 'a', 'b'], 'usage: holdfast new driver NAME'],
  [['new', 'driver', '../escape.example'], 'cannot name a driver: a driver is named like a domain'],
  [['new', 'driver', 'Box.example'], 'in lower case'],
  [['new', 'driver', 'box'], 'such as disk.csi.example.com'],
  [['new', 'driver', `${'x'.repeat(60)}.example`], 'it has 68 characters'],
])('%j is refused, and nothing is written', async (args, message) => {
  expect(holdfast(...args)).toMatchObject({ status: 2, stderr: expect.stringContaining(message) });
  expect(await readdir(dir)).toEqual([]);
});
