import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest';
import type { Cluster, Rig, RigOptions } from '../rig/contract.ts';
import { startRig } from '../rig/rig.ts';
import { sidecarOf } from './capture.ts';
import { clusterBehind } from './door.ts';
import { inCluster, onMachine } from './left-behind.ts';
import { openScene, removeNamespace, type Scene } from './scene.ts';
import { makers, readClusterReference } from './settings.ts';
import { found, notYet, openWorld, type World } from './world.ts';

export interface ScenarioOptions {
  /** Why a sidecar of this scenario is refused something. Everywhere else a 403 is a failure. */
  readonly forbidden?: string;
  /** What the Go sidecars do instead, where the scenario cannot hold for them. */
  readonly onlyOurs?: string;
}

export type Scenario = (name: string, play: (scene: Scene) => Promise<void>, options?: ScenarioOptions) => void;

/**
 * Starts one rig for all scenarios of a file. Each has a namespace of its own, and after each nothing may be left: no object, no
 * mount, no loop device, no volume in the pool.
 */
export function scenariosOn(options: Omit<RigOptions, 'cluster' | 'makers'>): Scenario {
  let cluster: Cluster | undefined;
  let rig: Rig | undefined;
  let world: World | undefined;
  const played: Scene[] = [];

  const ending = new AbortController();

  beforeAll(async () => {
    cluster = await clusterBehind(readClusterReference());
    await cluster.forgetRequests();
    rig = await startRig({ ...options, cluster, makers }, ending.signal);
    world = await openWorld(cluster.client);
  });

  afterAll(async () => {
    ending.abort(new Error('the scenarios are over'));
    await world?.close();
    const left = await rig?.stop();
    // Only now: a last event into a namespace on its way out is refused.
    for (const scene of played) await removeNamespace(scene);
    expect(left ?? []).toEqual([]);
    const requests = (await cluster?.requests()) ?? [];
    expect(requests.filter((request) => sidecarOf(request) !== undefined && request.code === 403)).toEqual([]);
  });

  return (name, play, { forbidden, onlyOurs } = {}) => {
    it(name, async (context) => {
      skipForUpstream(context, onlyOurs);
      if (rig === undefined || world === undefined) throw new Error('the rig did not start');
      const scene = await openScene({ name, rig, world });
      try {
        await play(scene);
        await scene.removeAll();
        await seeNothingLeft(scene);
        await scene.capture('end');
        if (forbidden === undefined) await expectNoRefusals(rig.cluster);
      } catch (error) {
        console.error(rig.logTails(12));
        await clearAway(scene);
        throw error;
      } finally {
        played.push(scene);
        await rig.cluster.forgetRequests();
      }
    });
  };
}

function skipForUpstream(context: TestContext, reason: string | undefined): void {
  if (reason === undefined) return;
  const others = Object.entries(makers).filter(([, maker]) => maker === 'upstream');
  context.skip(others.length > 0, `not with ${others.map(([name]) => name).join(', ')} by upstream: ${reason}`);
}

async function seeNothingLeft({ world, rig, namespace }: Scene): Promise<void> {
  await world.until({
    what: 'nothing left of the scenario',
    look: () => {
      const left = [...inCluster(world, namespace), ...onMachine(rig)];
      return left.length === 0 ? found(true) : notYet(left.join('; '));
    },
  });
}

async function expectNoRefusals(cluster: Cluster): Promise<void> {
  const refused = (await cluster.requests()).filter(
    (request) => sidecarOf(request) !== undefined && request.code === 403,
  );
  expect(refused).toEqual([]);
}

/** After a failure, so that the scenarios that follow start from nothing. What cannot be cleared has had its word already. */
async function clearAway(scene: Scene): Promise<void> {
  const { rig } = scene;
  try {
    for (const program of [rig.controllerDriver, ...rig.sidecars.values()]) {
      if (!program.isRunning()) await program.start();
    }
    await scene.removeAll();
    await scene.world.until({
      what: 'the objects of a failed scenario to go',
      look: () => {
        const left = inCluster(scene.world, scene.namespace);
        return left.length === 0 ? found(true) : notYet(left.join('; '));
      },
      timeoutMs: 60_000,
    });
  } catch (error) {
    console.error(error);
  }
}
