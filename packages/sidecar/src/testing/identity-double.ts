import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@holdfast/core';
import { ControllerService, IdentityService } from '@holdfast/csi-spec';
import { bindService, type Handlers, serveUnix, type UnixServer } from '@holdfast/rpc';

export interface IdentityDouble {
  /** A folder of its own, removed by `stop`. */
  readonly folder: string;
  readonly socketPath: string;
  /** Starts to serve; done already unless `isDown` was asked for. */
  start(): Promise<void>;
  /** Takes the server down and keeps the folder. */
  takeDown(): Promise<void>;
  stop(): Promise<void>;
}

/** A driver that can say who it is, on a real socket. Handlers replace its answers. */
export async function serveIdentity(
  options: {
    driverName?: string;
    identity?: Handlers<typeof IdentityService>;
    controller?: Handlers<typeof ControllerService>;
    isDown?: boolean;
  } = {},
): Promise<IdentityDouble> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-csi-'));
  const socketPath = join(folder, 'csi.sock');
  const identity = {
    getPluginInfo: async () => ({
      name: options.driverName ?? 'demo.csi.holdfast',
      vendorVersion: '1',
      manifest: {},
    }),
    probe: async () => ({ ready: true }),
    ...options.identity,
  };
  const services = [bindService(IdentityService, identity), bindService(ControllerService, options.controller ?? {})];
  let server: UnixServer | undefined;

  const double: IdentityDouble = {
    folder,
    socketPath,
    async start() {
      server = await serveUnix({ address: socketPath, services, log: silentLogger });
    },
    async takeDown() {
      await server?.stop(0);
      server = undefined;
    },
    async stop() {
      await double.takeDown();
      await rm(folder, { recursive: true, force: true });
    },
  };
  if (options.isDown !== true) await double.start();
  return double;
}
