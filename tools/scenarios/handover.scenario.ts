import { expect } from 'vitest';
import { sidecarOf } from './capture.ts';
import { seeBound, seeVolumeGrown } from './expectations.ts';
import { followHolders, identity, seeLeaders, startReplicas, stopReplicas } from './leaders.ts';
import { inCluster } from './left-behind.ts';
import { addClaims, addPods, numbered, removePods, seeAllBound, seeAllRunning, seeFirstCall } from './many.ts';
import { oneNode } from './nodes.ts';
import { scenariosOn } from './on-rig.ts';
import type { Scene } from './scene.ts';
import { sidecarNames } from './settings.ts';
import { found, notYet } from './world.ts';

const scenario = scenariosOn({ backend: 'disk', nodes: oneNode, sidecars: [], leaderElection: true });

scenario(
  'hand-over by a leader that ends',
  async (scene) => {
    const replicas = await startReplicas(scene);
    const holders = followHolders(scene);
    const className = await scene.addClass({ name: 'now', binding: 'Immediate' });
    const names = numbered(6);
    await addClaims(scene, className, names);
    await seeFirstCall(scene, 'CreateVolume');
    const codes = await Promise.all(replicas.of('a').map((program) => program.stop()));
    expect(codes).toEqual([0, 0, 0]);
    await seeLeaders(scene, 'b');
    holders.stop();
    // Released, so that nobody waited for the lease to be over.
    for (const name of sidecarNames) {
      expect(holders.of(name)).toEqual([identity(name, 'a'), '', identity(name, 'b')]);
    }
    await seeWorkDone(scene, names);
    await scene.capture('expanded');
    await takeDown(scene);
    await stopReplicas(replicas);
  },
  { onlyOurs: 'the Go sidecars let the lease run out' },
);

scenario('hand-over by a leader that is killed', async (scene) => {
  const replicas = await startReplicas(scene);
  const holders = followHolders(scene);
  const className = await scene.addClass({ name: 'now', binding: 'Immediate' });
  const names = numbered(6);
  await addClaims(scene, className, names);
  await seeFirstCall(scene, 'CreateVolume');
  await Promise.all(replicas.of('a').map((program) => program.kill()));
  await seeLeaders(scene, 'b');
  holders.stop();
  for (const name of sidecarNames) expect(holders.of(name)).toEqual([identity(name, 'a'), identity(name, 'b')]);
  await seeWorkDone(scene, names);
  await scene.capture('expanded');
  await takeDown(scene);
  await stopReplicas(replicas);
});

scenario(
  'a leader that wakes after its lease',
  async (scene) => {
    const { rig } = scene;
    const replicas = await startReplicas(scene);
    const className = await scene.addClass({ name: 'now', binding: 'Immediate' });
    const names = numbered(6);
    await addClaims(scene, className, names);
    await seeFirstCall(scene, 'CreateVolume');
    // In the middle of its work, with answers of the driver on their way to it.
    for (const program of replicas.of('a')) program.signal('SIGSTOP');
    await seeLeaders(scene, 'b');
    await seeAllBound(scene, names);
    await addPods(scene, names);
    await seeAllRunning(scene, names);
    const before = await rig.cluster.requests();
    const woken = replicas.of('a').map((program) => ({ program, from: program.log().length }));

    // More work, at the moment at which it wakes: all of it is the other's.
    for (const program of replicas.of('a')) program.signal('SIGCONT');
    await addClaims(scene, className, ['late']);
    await removePods(scene, names);
    const codes = await Promise.all(replicas.of('a').map((program) => program.exited()));
    expect(codes).toEqual([1, 1, 1]);
    await seeBound(scene, 'late');
    // Answers that were on their way are logged; nothing new is asked.
    for (const { program, from } of woken) expect(changesAsked(program.log().slice(from))).toEqual([]);
    await seeLeaders(scene, 'b');
    const made = (await rig.cluster.requests())
      .slice(before.length)
      .filter(({ verb, resource }) => verb === 'create' && resource === 'persistentvolumes');
    expect(made.map((request) => [sidecarOf(request), request.code])).toEqual([['provisioner', 201]]);
    await takeDown(scene);
    await stopReplicas(replicas);
  },
  { onlyOurs: 'client-go notices that its lease is over at the next renewal, and works on until then' },
);

/** Every claim bound, two of them attached, all of them grown. */
async function seeWorkDone(scene: Scene, names: readonly string[]): Promise<void> {
  const ids = await seeAllBound(scene, names);
  await addPods(scene, names.slice(0, 2));
  await seeAllRunning(scene, names.slice(0, 2));
  await Promise.all(names.map((name) => scene.askForSize(name, 128)));
  for (const id of ids) await seeVolumeGrown(scene, id, 128);
}

/** The calls to the driver that would change something, in the words of a log. */
function changesAsked(log: string): string[] {
  return log
    .split('\n')
    .filter((line) => /"GRPC call" .*method="\/csi\.v1\.Controller\/(?!Get|List)\w+Volume"/.test(line));
}

/** While there is still somebody to do it. */
async function takeDown(scene: Scene): Promise<void> {
  await scene.removeAll();
  await scene.world.until({
    what: 'everything to be taken down',
    look: () => {
      const left = inCluster(scene.world, scene.namespace);
      return left.length === 0 ? found(true) : notYet(left.join('; '));
    },
  });
}
