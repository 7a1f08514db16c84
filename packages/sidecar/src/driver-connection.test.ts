import { createFakeClock, createRecordingLogger } from '@holdfast/core/testing';
import { ControllerServiceCapability_RPC_Type, PluginCapability_Service_Type } from '@holdfast/csi-spec';
import { rpcError } from '@holdfast/rpc';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { connectDriver, type DriverConnectionDeps, failOnConnectionLoss, readDriverName } from './driver-connection.ts';
import { ConnectionLostError, ExitError } from './exit.ts';
import { type IdentityDouble, serveIdentity } from './testing/index.ts';

async function driverWith(options: Parameters<typeof serveIdentity>[0] = {}): Promise<IdentityDouble> {
  const driver = await serveIdentity(options);
  onTestFinished(() => driver.stop());
  return driver;
}

function deps(driver: IdentityDouble, more: Partial<DriverConnectionDeps> = {}): DriverConnectionDeps {
  return {
    address: driver.socketPath,
    timeoutMs: 5000,
    log: createRecordingLogger(),
    signal: new AbortController().signal,
    ...more,
  };
}

const controllerService = {
  type: { $case: 'service', value: { type: PluginCapability_Service_Type.CONTROLLER_SERVICE } },
} as const;

describe('connectDriver', () => {
  it('learns the name and the capabilities', async () => {
    const driver = await driverWith({
      identity: { getPluginCapabilities: async () => ({ capabilities: [controllerService] }) },
      controller: {
        controllerGetCapabilities: async () => ({
          capabilities: [
            { type: { $case: 'rpc', value: { type: ControllerServiceCapability_RPC_Type.CREATE_DELETE_VOLUME } } },
            { type: undefined },
          ],
        }),
      },
    });
    const found = await connectDriver(deps(driver));
    onTestFinished(() => found.connection.close());
    expect(found.driverName).toBe('demo.csi.holdfast');
    expect([...found.pluginCapabilities]).toEqual(['CONTROLLER_SERVICE']);
    expect([...found.controllerCapabilities]).toEqual(['CREATE_DELETE_VOLUME']);
  });

  it('does not ask a driver without a controller service for its capabilities', async () => {
    const controllerGetCapabilities = vi.fn(() => Promise.reject(rpcError('Internal', 'must not be asked')));
    const driver = await driverWith({
      identity: { getPluginCapabilities: async () => ({ capabilities: [] }) },
      controller: { controllerGetCapabilities },
    });
    const found = await connectDriver(deps(driver));
    found.connection.close();
    expect(found.controllerCapabilities.size).toBe(0);
    expect(controllerGetCapabilities).not.toHaveBeenCalled();
  });

  it('asks again while the driver is not ready or too slow, once a second', async () => {
    const answers = [
      () => Promise.resolve({ ready: false }),
      () => Promise.reject(rpcError('DeadlineExceeded', 'slow')),
      () => Promise.resolve({ ready: undefined }),
    ];
    let probes = 0;
    const driver = await driverWith({
      identity: {
        probe: () => answers[probes++]?.() ?? Promise.reject(new Error('too many probes')),
        getPluginCapabilities: async () => ({ capabilities: [] }),
      },
    });
    const clock = createFakeClock();
    // The dial's own timers are on this clock too; time moves only while the probe sleeps.
    const connecting = connectDriver(deps(driver, { clock }));
    for (const count of [1, 2]) {
      await vi.waitFor(() => {
        expect(probes).toBe(count);
        expect(clock.timers()).toBe(1);
      });
      await clock.advance(1000);
    }
    (await connecting).connection.close();
    expect(probes).toBe(3);
  });

  it.each(['Unavailable', 'FailedPrecondition', 'Unimplemented'] as const)(
    'gives up when the probe fails with %s',
    async (code) => {
      const driver = await driverWith({ identity: { probe: () => Promise.reject(rpcError(code, 'no backend')) } });
      await expect(connectDriver(deps(driver, { fatalExitCode: 255 }))).rejects.toMatchObject({
        exitCode: 1,
        message: expect.stringMatching(/probe failed: .*no backend/),
      });
    },
  );

  it("fails with the program's own exit code when the identity cannot be had", async () => {
    const nameless = await driverWith({ driverName: '' });
    await expect(connectDriver(deps(nameless, { fatalExitCode: 255 }))).rejects.toMatchObject({
      exitCode: 255,
      message: expect.stringContaining(
        `the CSI driver at ${nameless.socketPath} is: GetPluginInfo answered with an empty driver name: correct the driver`,
      ),
    });
    const mute = await driverWith({
      identity: { getPluginCapabilities: () => Promise.reject(rpcError('Internal', 'oops')) },
    });
    await expect(connectDriver(deps(mute))).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringContaining('oops'),
    });
  });

  it('names the socket that nobody serves', async () => {
    const driver = await driverWith({ isDown: true });
    const connecting = connectDriver(deps(driver, { connectTimeoutMs: 50 }));
    await expect(connecting).rejects.toThrow(ExitError);
    await expect(connecting).rejects.toThrow(driver.socketPath);
  });

  it('stops waiting when its signal aborts', async () => {
    const driver = await driverWith({ identity: { probe: async () => ({ ready: false }) } });
    const controller = new AbortController();
    const log = createRecordingLogger();
    const connecting = connectDriver(deps(driver, { signal: controller.signal, log }));
    connecting.catch(() => {});
    await vi.waitFor(() => expect(log.lines.map((line) => line.message)).toContain('CSI driver is not ready'));
    controller.abort(new Error('SIGTERM'));
    await expect(connecting).rejects.toThrow('SIGTERM');
  });
});

describe('readDriverName', () => {
  it('asks the name without a probe', async () => {
    const probe = vi.fn(() => Promise.reject(rpcError('Internal', 'must not be asked')));
    const driver = await driverWith({ identity: { probe } });
    expect(await readDriverName(deps(driver))).toBe('demo.csi.holdfast');
    expect(probe).not.toHaveBeenCalled();
  });
});

describe('failOnConnectionLoss', () => {
  async function connected() {
    const driver = await driverWith({ identity: { getPluginCapabilities: async () => ({ capabilities: [] }) } });
    const { connection } = await connectDriver(deps(driver));
    onTestFinished(() => connection.close());
    return { driver, connection };
  }

  it('throws once the driver goes away, without a call being made', async () => {
    const { driver, connection } = await connected();
    const watching = failOnConnectionLoss(connection, createRecordingLogger(), new AbortController().signal);
    await Promise.all([expect(watching).rejects.toThrow(ConnectionLostError), driver.takeDown()]);
    await expect(watching).rejects.toMatchObject({ exitCode: 1, message: 'Lost connection to CSI driver, exiting' });
  });

  it('ends when its signal aborts', async () => {
    const { connection } = await connected();
    const controller = new AbortController();
    const watching = failOnConnectionLoss(connection, createRecordingLogger(), controller.signal);
    controller.abort();
    await expect(watching).resolves.toBeUndefined();
  });
});
