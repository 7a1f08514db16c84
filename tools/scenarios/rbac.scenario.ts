import { expect } from 'vitest';
import type { SidecarName } from '../rig/contract.ts';
import { sidecarOf } from './capture.ts';
import { seeBound, seeRunning, seeVolumeGrown } from './expectations.ts';
import { seeInLog } from './many.ts';
import { oneNode } from './nodes.ts';
import { scenariosOn } from './on-rig.ts';
import { giveBackRules, takeRuleAway } from './rules.ts';
import type { Scene } from './scene.ts';

const scenario = scenariosOn({ backend: 'disk', nodes: oneNode });

interface Case {
  readonly sidecar: SidecarName;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** What cannot be done without the rule, and its end once it is there again. */
  readonly ask: (scene: Scene) => Promise<void>;
  readonly seeDone: (scene: Scene) => Promise<unknown>;
}

const cases: readonly Case[] = [
  {
    sidecar: 'provisioner',
    verb: 'create',
    group: '',
    resource: 'persistentvolumes',
    ask: async () => {},
    seeDone: (scene) => seeBound(scene, 'data'),
  },
  {
    sidecar: 'attacher',
    verb: 'patch',
    group: 'storage.k8s.io',
    resource: 'volumeattachments/status',
    ask: async (scene) => {
      await seeBound(scene, 'data');
      await scene.addPod({ name: 'user', claim: 'data' });
    },
    seeDone: (scene) => seeRunning(scene, 'user'),
  },
  {
    sidecar: 'resizer',
    verb: 'patch',
    group: '',
    resource: 'persistentvolumeclaims/status',
    ask: async (scene) => {
      await seeBound(scene, 'data');
      await scene.askForSize('data', 128);
    },
    seeDone: async (scene) => seeVolumeGrown(scene, (await seeBound(scene, 'data')).metadata.name, 128),
  },
];

for (const { sidecar, verb, group, resource, ask, seeDone } of cases) {
  scenario(
    `the ${sidecar} without ${verb} ${resource}`,
    async (scene) => {
      const program = scene.rig.sidecars.get(sidecar);
      if (program === undefined) throw new Error(`the rig runs no ${sidecar}`);
      const from = program.log().length;
      await takeRuleAway(scene, { sidecar, verb, group, resource });
      try {
        const className = await scene.addClass({ name: 'now', binding: 'Immediate' });
        await scene.addClaim({ name: 'data', className });
        await ask(scene);
        await seeInLog(scene, program, from, new RegExp(`cannot ${verb} resource .{0,2}"${resource}`));
        await scene.capture('failed');
      } finally {
        await giveBackRules(scene, sidecar);
      }
      await seeDone(scene);
      const refused = (await scene.rig.cluster.requests()).filter(
        (request) => sidecarOf(request) !== undefined && request.code === 403,
      );
      const words = new Set(refused.map((request) => `${sidecarOf(request)} ${request.verb} ${wordResource(request)}`));
      expect([...words]).toEqual([`${sidecar} ${verb} ${resource}`]);
    },
    { forbidden: 'a rule is taken away', onlyOurs: 'its account has rules beyond ours' },
  );
}

function wordResource({ resource, subresource }: { resource: string; subresource: string }): string {
  return subresource === '' ? resource : `${resource}/${subresource}`;
}
