import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger, untilAborted } from '@holdfast/core';
import { IdentityService } from '@holdfast/csi-spec';
import type { Connection } from '@holdfast/rpc';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Assembled, type ControllerProgramDeps, prepareController } from './controller-program.ts';
import { ConnectionLostError, ExitError } from './exit.ts';
import { defineFlags } from './flags.ts';
import { createMetricsRegistry } from './metrics.ts';
import { runPrepared } from './role.ts';
import { standardFlags } from './standard-flags.ts';
import { type IdentityDouble, serveIdentity } from './testing/index.ts';

const flags = defineFlags({ ...standardFlags, timeout: { type: 'duration', default: '5s', help: 'Of a call.' } });
type Deps = ControllerProgramDeps<ReturnType<typeof flags.parse>>;

const identity = { getPluginCapabilities: async () => ({ capabilities: [] }) };
const kubeconfig = {
  clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:9' } }],
  contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  users: [{ name: 'u', user: {} }],
  'current-context': 'c',
};

async function driverOf(options: Parameters<typeof serveIdentity>[0] = {}): Promise<IdentityDouble> {
  const driver = await serveIdentity({ identity, ...options });
  onTestFinished(() => driver.stop());
  return driver;
}

/** A controller that says what is asked of it. */
function recordingController() {
  const steps: string[] = [];
  const working = Promise.withResolvers<void>();
  const assembled: Assembled = {
    controller: {
      async run(signal, fence) {
        fence.check();
        steps.push('work');
        working.resolve();
        await untilAborted(signal);
        steps.push('drained');
      },
    },
    caches: {
      synced: Promise.resolve(),
      tasks: {
        async 'cache of volumes'(signal) {
          steps.push('cache');
          await untilAborted(signal);
        },
      },
    },
    recorder: { stop: async () => void steps.push('recorder stopped') },
  };
  return { steps, working: working.promise, assembled };
}

async function start(driver: IdentityDouble, assemble: Deps['assemble'], more: Partial<Deps> = {}) {
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const file = join(driver.folder, 'kubeconfig');
  await writeFile(file, JSON.stringify(kubeconfig));
  const values = flags.parse([`--kubeconfig=${file}`, `--csi-address=${driver.socketPath}`], { syntax: 'go' });
  const preparing = prepareController({
    values,
    context: {
      name: 'csi-demo',
      version: '0',
      log: silentLogger,
      registry: createMetricsRegistry(),
      signal: stopping.signal,
      hostname: 'pod-1',
      env: {},
      fatalExitCode: 1,
    },
    leaseName: (driverName) => driverName,
    assemble,
    ...more,
  });
  const running = preparing.then((role) => runPrepared(role, stopping.signal));
  // Asserted on later, when it has failed already.
  running.catch(() => {});
  return { running, stopping };
}

describe('prepareController', () => {
  it('runs caches and work beside the driver, and ends once all is drained and told', async () => {
    const driver = await driverOf();
    const { steps, working, assembled } = recordingController();
    const assemble = vi.fn(() => assembled);
    const { running, stopping } = await start(driver, assemble);
    await working;
    expect(assemble).toHaveBeenCalledWith(
      expect.objectContaining({ found: expect.objectContaining({ driverName: 'demo.csi.holdfast' }) }),
    );
    stopping.abort(new Error('SIGTERM'));
    await running;
    expect(steps).toEqual(['cache', 'work', 'drained', 'recorder stopped']);
  });

  it('drains and fails when the driver goes away', async () => {
    const driver = await driverOf();
    const { steps, working, assembled } = recordingController();
    const { running } = await start(driver, () => assembled);
    await working;
    await driver.takeDown();
    await expect(running).rejects.toBeInstanceOf(ConnectionLostError);
    expect(steps.slice(-2)).toEqual(['drained', 'recorder stopped']);
  });

  it('gives up on a socket that nobody serves, with what to look at', async () => {
    const driver = await driverOf({ isDown: true });
    const assemble = vi.fn(() => recordingController().assembled);
    const { running } = await start(driver, assemble, { connectTimeoutMs: 50 });
    await expect(running).rejects.toThrow(ExitError);
    await expect(running).rejects.toThrow(driver.socketPath);
    expect(assemble).not.toHaveBeenCalled();
  });

  it('leaves no connection behind when there is nothing to do beside this driver', async () => {
    const driver = await driverOf();
    let connection: Connection | undefined;
    const { running } = await start(driver, ({ found }) => {
      ({ connection } = found);
      return Promise.reject(new ExitError('cannot expand', { exitCode: 255 }));
    });
    await expect(running).rejects.toMatchObject({ exitCode: 255 });
    await expect(connection?.client(IdentityService).probe({}, { timeoutMs: 5_000 })).rejects.toThrow(/clos/i);
  });
});
