import { isConflict, nodes } from '@holdfast/kube';
import { detachLoopDevice, listLoopDevices } from '../../packages/mount/src/index.ts';
import type { RigNode } from '../rig/contract.ts';
import { takeAway } from '../rig/left-behind.ts';
import type { Scene } from './scene.ts';
import { found, notYet } from './world.ts';

/**
 * What a power cut does to a machine: its programs and pods end where they stand, and what they had mounted and attached is gone
 * from the kernel without anybody having been told.
 */
export async function cutPower(scene: Scene, node: RigNode, volumeId: string): Promise<void> {
  await Promise.all([node.kubelet.kill(), node.driver.kill(), node.registrar.kill()]);
  takeAway(node.kubeletRoot);
  await scene.world.until({
    what: `the kernel to let go of ${volumeId} on ${node.name}`,
    look: async () => {
      const devices = (await listLoopDevices()).filter(({ backingFile }) => backingFile.includes(volumeId));
      for (const { device } of devices) await detachLoopDevice(device);
      return devices.length === 0 ? found(true) : notYet(devices.map(({ device }) => device).join(', '));
    },
  });
}

export async function restorePower(scene: Scene, node: RigNode): Promise<void> {
  await Promise.all([node.driver.start(), node.kubelet.start(), node.registrar.start()]);
  await scene.world.until({
    what: `${node.name} to be ready, with its driver`,
    look: () => {
      const object = scene.world.nodes().find(({ metadata }) => metadata.name === node.name);
      const ready = object?.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
      const drivers = scene.world.csiNodes().find(({ metadata }) => metadata.name === node.name)?.spec.drivers ?? [];
      const taints = object?.spec?.taints ?? [];
      if (ready === 'True' && drivers.length > 0 && taints.length === 0) return found(true);
      return notYet(`ready ${ready}, ${drivers.length} drivers, taints ${taints.map(({ key }) => key).join(', ')}`);
    },
  });
}

const outOfService = 'node.kubernetes.io/out-of-service';

/** An administrator's word that the node is off, and that its volumes may go to others. */
export async function declareOutOfService(scene: Scene, nodeName: string): Promise<void> {
  await setTaint(scene, nodeName, [{ key: outOfService, value: 'nodeshutdown', effect: 'NoExecute' }]);
}

export async function declareInService(scene: Scene, nodeName: string): Promise<void> {
  await setTaint(scene, nodeName, []);
}

/** The list is one field to a patch, and the node controller writes to it as well: both hold only for the list that was read. */
async function setTaint({ client, world }: Scene, nodeName: string, own: readonly object[]): Promise<void> {
  await world.until({
    what: `the taints of ${nodeName} to be written`,
    look: async () => {
      const { metadata, spec } = await client.get(nodes, { name: nodeName });
      const others = (spec?.taints ?? []).filter(({ key }) => key !== outOfService);
      const body = { metadata: { resourceVersion: metadata.resourceVersion }, spec: { taints: [...others, ...own] } };
      try {
        return found(await client.patch(nodes, { name: nodeName }, { kind: 'merge', body }));
      } catch (error) {
        if (isConflict(error)) return notYet('a conflict');
        throw error;
      }
    },
  });
}
