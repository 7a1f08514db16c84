import { persistentVolumeClaims, pods } from '@holdfast/kube';
import { expect } from 'vitest';
import type { SidecarName } from '../rig/contract.ts';
import { countWrites } from './capture.ts';
import {
  seeAttached,
  seeBound,
  seeClaimWaitingForNode,
  seeDetached,
  seeEvent,
  seePodGone,
  seeRunning,
  seeVolumeGone,
} from './expectations.ts';
import { oneNode } from './nodes.ts';
import { scenariosOn } from './on-rig.ts';
import type { Scene } from './scene.ts';

const scenario = scenariosOn({ backend: 'disk', nodes: oneNode });

scenario(
  "what each step of a volume's life writes",
  async (scene) => {
    const className = await scene.addClass({ name: 'now', binding: 'Immediate' });
    await scene.addClaim({ name: 'data', className });
    const volume = await seeBound(scene, 'data');
    const { name } = volume.metadata;
    await seeEvent(scene, 'data', /^ProvisioningSucceeded: /);
    await expectWrites(scene, { provisioner: { 'create persistentvolumes 201': 1, 'create events 201': 1 } });

    await scene.addPod({ name: 'user', claim: 'data' });
    await seeRunning(scene, 'user');
    await seeAttached(scene, name);
    await expectWrites(scene, {
      attacher: { 'patch volumeattachments 200': 1, 'patch volumeattachments/status 200': 1 },
    });

    await scene.delete(pods, 'user');
    await seePodGone(scene, 'user');
    await seeDetached(scene, name);
    await expectWrites(scene, { attacher: { 'patch volumeattachments 200': 1 } });

    await scene.askForSize('data', 128);
    await seeClaimWaitingForNode(scene, 'data');
    await seeEvent(scene, 'data', /^FileSystemResizeRequired: /);
    await expectWrites(scene, {
      resizer: {
        'patch persistentvolumeclaims/status 200': 2,
        'patch persistentvolumes 200': 1,
        'create events 201': 1,
      },
    });

    await scene.delete(persistentVolumeClaims, 'data');
    await seeVolumeGone(scene, name);
    await expectWrites(scene, {
      provisioner: { 'delete persistentvolumes 200': 1, 'patch persistentvolumes 200': 1 },
    });
  },
  { onlyOurs: 'the Go sidecars write more' },
);

/** Of the step that has just ended: what sidecars wrote since the one before, and nothing else. */
async function expectWrites(
  scene: Scene,
  expected: Partial<Readonly<Record<SidecarName, Readonly<Record<string, number>>>>>,
): Promise<void> {
  await scene.world.untilQuiet();
  const { cluster } = scene.rig;
  const { provisioner, attacher, resizer } = countWrites(await cluster.requests());
  expect({
    provisioner: withoutProgress(scene, provisioner, 'Provisioning'),
    attacher,
    resizer: withoutProgress(scene, resizer, 'Resizing'),
  }).toEqual({ provisioner: {}, attacher: {}, resizer: {}, ...expected });
  await cluster.forgetRequests();
}

/** An event about progress comes with a call of more than a second: how busy this machine is, is not what is counted. */
function withoutProgress(scene: Scene, writes: Record<string, number>, reason: string): Record<string, number> {
  const word = 'create events 201';
  const told = scene.eventsOn('data').filter((event) => event.startsWith(`${reason}: `)).length;
  const others = (writes[word] ?? 0) - told;
  const { [word]: _events, ...rest } = writes;
  return others > 0 ? { ...rest, [word]: others } : rest;
}
