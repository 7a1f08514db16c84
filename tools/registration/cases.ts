import { execFile } from 'node:child_process';
import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { IdentityDouble, RunningProgram } from '@holdfast/sidecar/testing';
import { referenceProgram } from '../reference/build.ts';
import { type PluginWatcher, type WatcherEvent, watchPlugins } from './plugin-watcher.ts';

export interface World {
  readonly driver: IdentityDouble;
  /** kubelet's plugins_registry. */
  readonly registry: string;
  readonly socket: string;
  kubelet: PluginWatcher;
  startRegistrar(): RunningProgram;
}

export const driverName = 'demo.csi.holdfast';
export const endpoint = '/var/lib/kubelet/plugins/demo/csi.sock';
export const bin = join(import.meta.dirname, '..', '..', 'packages', 'node-driver-registrar', 'src', 'bin.ts');

/** Each begins without a registrar, and with a kubelet that knows no driver; and ends so. */
export const cases: Readonly<Record<string, (world: World) => Promise<void>>> = {
  async 'a driver is registered, over a socket that is its owner’s alone, and leaves with SIGTERM'(world) {
    const registrar = world.startRegistrar();
    await isRegistered(world);
    await registrar.logged(/NotifyRegistrationStatus call.*registered=true/);
    same(statSync(world.socket).mode & 0o777, 0o700, 'the mode of the socket');
    await leave(world, registrar);
  },

  async 'a driver that kubelet refuses: exit 1 with the reason, no socket, and its next start is accepted'(world) {
    await world.kubelet.tell('refuse no room');
    const refused = world.startRegistrar();
    same((await world.kubelet.next()).event, 'validate', 'what kubelet does');
    same(await refused.exitCode, 1, 'the exit code');
    if (!refused.stderr().includes('no room')) throw new Error(`the reason is not told:\n${refused.stderr()}`);
    same(existsSync(world.socket), false, 'that the socket is there');
    await world.kubelet.tell('accept');
    const accepted = world.startRegistrar();
    await isRegistered(world);
    await leave(world, accepted);
  },

  async 'a registrar that was killed: its socket is taken over, and kubelet registers the driver again'(world) {
    const killed = world.startRegistrar();
    await isRegistered(world);
    killed.kill('SIGKILL');
    await killed.exitCode;
    const next = world.startRegistrar();
    await isRegisteredAgain(world);
    await leave(world, next);
  },

  async 'a socket that vanished is made again, and kubelet registers the driver again'(world) {
    const registrar = world.startRegistrar();
    await isRegistered(world);
    rmSync(world.socket);
    await isRegisteredAgain(world);
    await leave(world, registrar);
  },

  async 'kubelet restarts: it finds the socket, and nothing is asked of the registrar'(world) {
    const registrar = world.startRegistrar();
    await isRegistered(world);
    await world.kubelet.stop();
    world.kubelet = watchPlugins(world.registry);
    await isRegistered(world);
    await leave(world, registrar);
  },

  async 'the driver restarts: it stays registered'(world) {
    const registrar = world.startRegistrar();
    await isRegistered(world);
    await world.driver.takeDown();
    await world.driver.start();
    await askAsOldKubelet(world);
    await leave(world, registrar);
  },

  async 'kubelet 1.28, which sends the path of the socket as :authority, is answered'(world) {
    const registrar = world.startRegistrar();
    await isRegistered(world);
    const answer = await askAsOldKubelet(world);
    same(answer, { name: driverName, type: 'CSIPlugin', endpoint, versions: ['1.0.0'] }, 'the answer');
    await leave(world, registrar);
  },
};

async function isRegistered({ kubelet }: World): Promise<void> {
  const told = { name: driverName, endpoint, versions: ['1.0.0'] };
  same(await kubelet.next(), { event: 'validate', ...told }, 'what kubelet does');
  same(await kubelet.next(), { event: 'register', ...told }, 'what kubelet does');
}

/** With or without a farewell: kubelet may see the old socket go and the new one come in one look. */
async function isRegisteredAgain({ kubelet }: World): Promise<void> {
  const events: WatcherEvent[] = [];
  while (events.at(-1)?.event !== 'register') events.push(await kubelet.next());
  const words = events.map(({ event }) => event).filter((event) => event !== 'deregister');
  same(words, ['validate', 'register'], 'what kubelet does');
}

async function leave({ kubelet, socket }: World, registrar: RunningProgram): Promise<void> {
  registrar.kill('SIGTERM');
  same(await registrar.exitCode, 0, 'the exit code');
  same(existsSync(socket), false, 'that the socket is there');
  same((await kubelet.next()).event, 'deregister', 'what kubelet does');
}

async function askAsOldKubelet({ socket }: World): Promise<object> {
  const { stdout } = await promisify(execFile)(referenceProgram('old-kubelet'), [socket]);
  const { grpc: _, ...answer } = JSON.parse(stdout);
  return answer;
}

function same(found: unknown, wanted: unknown, what: string): void {
  const sorted = (value: unknown): string =>
    JSON.stringify(value, (_key, part: unknown) =>
      part !== null && typeof part === 'object' && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    );
  if (sorted(found) !== sorted(wanted)) throw new Error(`${what}: ${sorted(found)}, wanted ${sorted(wanted)}`);
}
