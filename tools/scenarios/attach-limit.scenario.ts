import { pods } from '@holdfast/kube';
import { expect } from 'vitest';
import { seeBound, seeEvent, seeRunning } from './expectations.ts';
import { oneNode } from './nodes.ts';
import { scenariosOn } from './on-rig.ts';
import { found, notYet } from './world.ts';

const limit = 2;
const scenario = scenariosOn({ backend: 'disk', nodes: oneNode, maxVolumesPerNode: limit });

scenario('attach limit', async (scene) => {
  await scene.world.until({
    what: `CSINode to say that ${limit} volumes fit`,
    look: () => {
      const drivers = scene.world.csiNodes().flatMap(({ spec }) => spec.drivers);
      return drivers.some(({ allocatable }) => allocatable?.count === limit)
        ? found(true)
        : notYet(JSON.stringify(drivers));
    },
  });
  const className = await scene.addClass({ name: 'now', binding: 'Immediate' });
  for (const name of ['one', 'two', 'three']) {
    await scene.addClaim({ name, className });
    await seeBound(scene, name);
  }
  for (const name of ['one', 'two']) {
    await scene.addPod({ name, claim: name });
    await seeRunning(scene, name);
  }
  await scene.addPod({ name: 'three', claim: 'three' });
  await seeEvent(scene, 'three', /^FailedScheduling: .*exceed max volume count/s);
  expect(scene.pod('three')?.spec?.nodeName).toBeUndefined();
  await scene.capture('failed');
  await scene.delete(pods, 'one');
  await seeRunning(scene, 'three');
  expect(scene.calls().filter(({ code }) => code === 'ResourceExhausted')).toEqual([]);
  await scene.capture('attached');
});
