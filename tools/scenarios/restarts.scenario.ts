import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { persistentVolumeClaims } from '@holdfast/kube';
import { expect } from 'vitest';
import type { Program } from '../rig/contract.ts';
import { seeVolumeGrown } from './expectations.ts';
import {
  addClaims,
  addPods,
  numbered,
  removePods,
  seeAllBound,
  seeAllRunning,
  seeFirstCall,
  seeInLog,
} from './many.ts';
import { oneNode } from './nodes.ts';
import { scenariosOn } from './on-rig.ts';
import type { Scene } from './scene.ts';
import { makers, sidecarNames } from './settings.ts';
import { found, notYet } from './world.ts';

const scenario = scenariosOn({ backend: 'disk', nodes: oneNode });
const working = /Starting controller|Started provisioner controller|Starting CSI attacher|Starting external resizer/;

scenario('driver restart', async (scene) => {
  const className = await scene.addClass({ name: 'now', binding: 'Immediate' });
  const names = numbered(6);
  await addClaims(scene, className, names);
  await seeFirstCall(scene, 'CreateVolume');
  await killDriver(scene);
  const ids = await seeAllBound(scene, names);
  expect(poolOf(scene)).toEqual(ids);
  await scene.capture('bound');

  const users = names.slice(0, 3);
  await addPods(scene, users);
  await seeFirstCall(scene, 'ControllerPublishVolume');
  await killDriver(scene);
  await seeAllRunning(scene, users);
  await scene.capture('attached');

  await removePods(scene, users);
  for (const name of names) await scene.delete(persistentVolumeClaims, name);
  await seeFirstCall(scene, 'DeleteVolume');
  await killDriver(scene);
});

scenario('sidecar restart', async (scene) => {
  const { rig } = scene;
  const className = await scene.addClass({ name: 'now', binding: 'Immediate' });
  const names = numbered(4);
  await killInTheMiddle(scene, 'provisioner', 'CreateVolume', () => addClaims(scene, className, names));
  const ids = await seeAllBound(scene, names);
  expect(poolOf(scene)).toEqual(ids);
  await scene.capture('bound');

  const users = names.slice(0, 2);
  await killInTheMiddle(scene, 'attacher', 'ControllerPublishVolume', () => addPods(scene, users));
  await seeAllRunning(scene, users);
  await scene.capture('attached');
  await removePods(scene, users);

  await killInTheMiddle(scene, 'resizer', 'ControllerExpandVolume', async () => {
    for (const name of names) await scene.askForSize(name, 128);
  });
  for (const id of ids) await seeVolumeGrown(scene, id, 128);
  await scene.capture('expanded');

  await killInTheMiddle(scene, 'provisioner', 'DeleteVolume', async () => {
    for (const name of names) await scene.delete(persistentVolumeClaims, name);
  });
  expect([...rig.sidecars.values()].every((program) => program.isRunning())).toBe(true);
});

scenario(
  'API server restart',
  async (scene) => {
    const { rig } = scene;
    const pids = [...rig.sidecars.values()].map((program) => program.pid());
    const className = await scene.addClass({ name: 'later', binding: 'WaitForFirstConsumer' });
    const names = numbered(3);
    await addClaims(scene, className, names);
    await addPods(scene, names);
    await seeFirstCall(scene, 'CreateVolume');
    await rig.cluster.restartApiServer({ downMs: 1500 });
    const ids = await seeAllBound(scene, names);
    await seeAllRunning(scene, names);
    await scene.capture('attached');

    await removePods(scene, names);
    await Promise.all(names.map((name) => scene.askForSize(name, 128)));
    await seeFirstCall(scene, 'ControllerExpandVolume');
    await rig.cluster.restartApiServer({ downMs: 500 });
    for (const id of ids) await seeVolumeGrown(scene, id, 128);
    // Without an API server there is nothing to do, and no reason to end.
    expect([...rig.sidecars.values()].map((program) => program.pid())).toEqual(pids);
    await scene.capture('expanded');
  },
  { forbidden: 'kube-apiserver answers before it has read its roles, and refuses whoever comes before that' },
);

/** kill -9 of the driver. A sidecar that has lost its driver ends, and is started again, as kubelet does it. */
async function killDriver({ rig, world }: Scene): Promise<void> {
  const all = [...rig.sidecars];
  // Of the Go ones the resizer goes on.
  const ending = all.flatMap(([name, program]) => (isOurs(name) ? [program] : []));
  await rig.controllerDriver.kill();
  await world.until({
    what: 'every sidecar to end for want of its driver',
    look: () => {
      const running = ending.filter((program) => program.isRunning());
      return running.length === 0 ? found(true) : notYet(running.map(({ label }) => label).join(', '));
    },
  });
  for (const program of ending) expect(await program.exited(), `exit code of ${program.label}`).toBe(1);
  await rig.controllerDriver.start();
  for (const [, program] of all) if (program.isRunning()) await program.stop();
  await Promise.all(all.map(([, program]) => program.start()));
}

function isOurs(name: string): boolean {
  return sidecarNames.some((sidecar) => sidecar === name && makers[sidecar] === 'ours');
}

/** The driver stands still until the sidecar has called it, and the sidecar has been killed: it never hears the answers. */
async function killInTheMiddle(
  scene: Scene,
  name: 'provisioner' | 'attacher' | 'resizer',
  method: string,
  act: () => Promise<void>,
): Promise<void> {
  const { controllerDriver } = scene.rig;
  const sidecar = sidecarOf(scene, name);
  // One that has yet to connect would wait for the driver, and never call it.
  await seeWorking(scene, sidecar);
  const from = sidecar.log().length;
  controllerDriver.signal('SIGSTOP');
  try {
    await act();
    // The Go resizer asks for capabilities before each call.
    await seeInLog(scene, sidecar, from, new RegExp(`/csi\\.v1\\.Controller/(?:${method}|ControllerGetCapabilities)"`));
    await sidecar.kill();
  } finally {
    controllerDriver.signal('SIGCONT');
  }
  await sidecar.start();
}

/** It has asked the driver what it can do, and read what there is. Each maker says so in words of its own. */
async function seeWorking({ world }: Scene, sidecar: Program): Promise<void> {
  await world.until({
    what: `${sidecar.label} to have started`,
    look: () => {
      const log = sidecar.logOfThisRun();
      return working.test(log) ? found(true) : notYet(log.slice(-500));
    },
  });
}

function sidecarOf({ rig }: Scene, name: string): Program {
  const program = rig.sidecars.get(name);
  if (program === undefined) throw new Error(`the rig runs no ${name}`);
  return program;
}

/** The ids of the volumes that the driver has a record of, sorted. */
function poolOf({ rig }: Scene): string[] {
  return readdirSync(join(rig.folder, 'pool', 'volumes'))
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}
