// `npm run test:registration`: csi-node-driver-registrar before kubelet's own plugin manager, built from the published Go modules, and
// before the gRPC of kubelet 1.28. The last line is "N passed, N failed".
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningProgram, serveIdentity, spawnProgram } from '@holdfast/sidecar/testing';
import { buildReference } from '../reference/build.ts';
import { bin, cases, driverName, endpoint, type World } from './cases.ts';
import { watchPlugins } from './plugin-watcher.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
process.exitCode = await runAll();

async function runAll(): Promise<number> {
  try {
    const options = { say: console.log, signal: stop.signal };
    const { failed } = await buildReference(['plugin-watcher', 'old-kubelet'], options);
    if (failed.length > 0) return 1;
  } catch (error) {
    if (stop.signal.aborted) return 130;
    console.error(`registration: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
  let failures = 0;
  for (const [name, play] of Object.entries(cases)) {
    if (stop.signal.aborted) break;
    const wrong = await playIn(play);
    if (wrong === undefined) {
      console.log(`ok     ${name}`);
      continue;
    }
    failures += 1;
    console.log(`FAILED ${name}\n    ${wrong}`);
  }
  if (stop.signal.aborted) return 130;
  console.log(`\n${Object.keys(cases).length - failures} passed, ${failures} failed`);
  return failures === 0 ? 0 : 1;
}

/** @returns what went wrong */
async function playIn(play: (world: World) => Promise<void>): Promise<string | undefined> {
  // A short path: a socket's may have 107 bytes.
  const registry = mkdtempSync(join(tmpdir(), 'holdfast-reg-'));
  const driver = await serveIdentity({ driverName });
  const registrars: RunningProgram[] = [];
  const world: World = {
    driver,
    registry,
    socket: join(registry, `${driverName}-reg.sock`),
    kubelet: watchPlugins(registry),
    startRegistrar() {
      const registrar = spawnProgram(bin, [
        `--csi-address=${driver.socketPath}`,
        `--plugin-registration-path=${registry}`,
        `--kubelet-registration-path=${endpoint}`,
      ]);
      registrars.push(registrar);
      return registrar;
    },
  };
  try {
    // It answers once it watches, or soon after.
    await world.kubelet.tell('accept');
    await play(world);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    for (const registrar of registrars) registrar.kill('SIGKILL');
    await Promise.all(registrars.map(({ exitCode }) => exitCode));
    await world.kubelet.stop();
    await driver.stop();
    rmSync(registry, { recursive: true, force: true });
  }
}
