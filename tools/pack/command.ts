// The command from its packed file in an empty folder, as `npx` runs it, and the driver that it begins.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger } from '@holdfast/core';
import { ControllerService, CreateVolumeRequest, VolumeCapability_AccessMode_Mode as Mode } from '@holdfast/csi-spec';
import { dialUnix } from '@holdfast/rpc';
import type { Ledger } from '../chart/ledger.ts';
import { failure, type User } from './user.ts';

const driverName = 'box.csi.example.com';

export async function checkCommand(ledger: Ledger, tarball: string, user: User, signal: AbortSignal): Promise<void> {
  const folder = user.folder('empty');
  const holdfast = (...args: string[]) =>
    user.run('npx', ['--yes', '--package', tarball, '--', 'holdfast', ...args], folder);
  const help = await holdfast('--help');
  ledger.count('npx holdfast --help', failure(help) ?? (help.stdout.includes('demo') ? undefined : help.stdout));
  const demo = await holdfast('demo');
  ledger.count(
    'npx holdfast demo',
    failure(demo) ?? (demo.stdout.includes('without a trace') ? undefined : demo.stdout),
  );
  ledger.count('the demo leaves the folder empty', readdirSync(folder).length === 0 ? undefined : 'it does not');
  const made = await holdfast('new', 'driver', driverName);
  ledger.count('npx holdfast new driver', failure(made));
  if (made.code !== 0) return;
  const own = join(folder, driverName);
  const installed = failure(await user.run('npm', ['install'], own));
  ledger.count('the new driver installs the published kit', installed);
  if (installed !== undefined) return;
  ledger.count('the new driver type-checks', failure(await user.run('npm', ['run', 'typecheck'], own)));
  ledger.count('the new driver makes and removes a volume', await wrongVolume(own, signal));
}

async function wrongVolume(folder: string, signal: AbortSignal): Promise<string | undefined> {
  const [address, pool] = [join(folder, 'csi.sock'), join(folder, 'volumes')];
  const env = { ...process.env, CSI_ENDPOINT: `unix://${address}`, NODE_ID: 'node-a', POOL: pool };
  const driver = spawn(process.execPath, ['src/driver.ts'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    const connection = await dialUnix({ address, log: silentLogger, timeoutMs: 60_000, signal });
    const controller = connection.client(ControllerService);
    const accessMode = { mode: Mode.SINGLE_NODE_WRITER };
    const volumeCapabilities = [{ accessType: { $case: 'mount' as const, value: {} }, accessMode }];
    const options = { timeoutMs: 30_000, signal };
    await controller.createVolume(CreateVolumeRequest.fromPartial({ name: 'one', volumeCapabilities }), options);
    const after = readdirSync(pool);
    await controller.deleteVolume({ volumeId: 'one', secrets: {} }, options);
    connection.close();
    return after.includes('one') && readdirSync(pool).length === 0 ? undefined : `the pool held ${after.join(', ')}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    driver.kill('SIGKILL');
  }
}
