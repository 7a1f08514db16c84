import { parseQuantity, quantityToBytes } from '@holdfast/core';
import {
  type CSIStorageCapacity,
  csiDrivers,
  csiStorageCapacities,
  persistentVolumeClaims,
  pods,
  type StorageClass,
} from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { expect } from 'vitest';
import { sidecarNamespace } from './capture.ts';
import { seeBound, seeEvent, seePodGone, seeRunning, seeVolumeGone } from './expectations.ts';
import { zoneKey } from './manifests.ts';
import { on, threeNodes } from './nodes.ts';
import { scenariosOn } from './on-rig.ts';
import type { Scene } from './scene.ts';
import { found, notYet } from './world.ts';

const scenario = scenariosOn({
  backend: 'disk',
  nodes: threeNodes,
  isFronted: true,
  sidecars: ['attacher', 'resizer'],
});
const gibibyte = 2n ** 30n;
const ownerName = 'provisioner-of-capacity';

scenario('storage capacity, and a zone that is full after all', async (scene) => {
  const { rig } = scene;
  const free = new Map([
    ['zone-1', 10n * gibibyte],
    ['zone-2', 0n],
  ]);
  rig.front.on('getCapacity', async ({ accessibleTopology }) => ({
    availableCapacity: free.get(accessibleTopology?.segments[zoneKey] ?? '') ?? 0n,
    maximumVolumeSize: undefined,
    minimumVolumeSize: undefined,
  }));
  rig.front.on('createVolume', async (request, passOn) => {
    if (request.accessibilityRequirements?.preferred[0]?.segments[zoneKey] !== 'zone-1') return passOn();
    // Somebody else was faster; and there is room in the other zone now.
    free.set('zone-1', 0n).set('zone-2', gibibyte);
    throw rpcError('ResourceExhausted', 'no room in zone-1');
  });
  await tellSchedulerOfRoom(scene);
  await startProvisioner(scene);
  const className = await scene.addClass({ name: 'later', binding: 'WaitForFirstConsumer' });
  const figures = await seeFigures(scene, className, { 'zone-1': 10n * gibibyte, 'zone-2': 0n });
  expect(figures.map(({ metadata }) => metadata.ownerReferences?.map(({ kind, name }) => [kind, name]))).toEqual([
    [['Pod', ownerName]],
    [['Pod', ownerName]],
  ]);

  await scene.addClaim({ name: 'data', className });
  await scene.addPod({ name: 'user', claim: 'data' });
  await seeEvent(scene, 'data', /^ProvisioningFailed: .*ResourceExhausted.*no room in zone-1/s);
  const volume = await seeBound(scene, 'data');
  const pod = await seeRunning(scene, 'user');
  expect(pod.spec?.nodeName).toBe('node-c');
  await seeFigures(scene, className, { 'zone-1': 0n, 'zone-2': gibibyte });
  await scene.capture('attached');

  // Nobody is asked for what nobody has.
  await scene.addClaim({ name: 'large', className, sizeMi: 2048 });
  await scene.addPod({ name: 'waiting', claim: 'large' });
  await seeEvent(scene, 'waiting', /^FailedScheduling: .*did not have enough free storage/s);
  expect(scene.claim('large')?.metadata.annotations ?? {}).not.toHaveProperty('volume.kubernetes.io/selected-node');

  for (const name of ['user', 'waiting']) {
    await scene.delete(pods, name);
    await seePodGone(scene, name);
  }
  for (const name of ['data', 'large']) await scene.delete(persistentVolumeClaims, name);
  await seeVolumeGone(scene, volume.metadata.name);
  await rig.sidecars.get('provisioner')?.stop();
  // What its pod owned goes with it.
  await scene.client.delete(pods, { namespace: sidecarNamespace, name: ownerName });
  await seeFigures(scene, className, {});
});

async function tellSchedulerOfRoom({ client, rig, atEnd }: Scene): Promise<void> {
  const set = (storageCapacity: boolean): Promise<unknown> =>
    client.patch(csiDrivers, { name: rig.driverName }, { kind: 'merge', body: { spec: { storageCapacity } } });
  await set(true);
  atEnd(() => set(false));
}

/** As in a pod of its own, which is a pod's only trace here. */
async function startProvisioner({ client, rig, world }: Scene): Promise<void> {
  const isThere = (): boolean =>
    world.pods().some(({ metadata, status }) => metadata.name === ownerName && status?.phase === 'Running');
  await client.create(pods, {
    metadata: { name: ownerName, namespace: sidecarNamespace },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 1,
      nodeSelector: on('node-a'),
      containers: [
        { name: 'main', image: 'busybox', command: ['sh', '-c', "trap 'exit 0' TERM; sleep 3600 & wait $!"] },
      ],
    },
  });
  await world.until({
    what: `pod ${ownerName} to run`,
    look: () => (isThere() ? found(true) : notYet('no such pod that runs')),
  });
  await rig.startSidecar('provisioner', {
    args: [
      '--enable-capacity',
      '--capacity-ownerref-level=0',
      '--capacity-poll-interval=1s',
      '--retry-interval-start=200ms',
      '--retry-interval-max=2s',
    ],
    env: { NAMESPACE: sidecarNamespace, POD_NAME: ownerName },
  });
}

/** By zone. */
function seeFigures(
  { client, world }: Scene,
  className: StorageClass['metadata']['name'],
  expected: Readonly<Record<string, bigint>>,
): Promise<readonly CSIStorageCapacity[]> {
  return world.until({
    what: `figures of class ${className}: ${describeFigures(expected)}`,
    look: async () => {
      const { items } = await client.list(csiStorageCapacities, { namespace: sidecarNamespace });
      const own = items.filter(({ storageClassName }) => storageClassName === className);
      const seen = Object.fromEntries(
        own.map(({ capacity, nodeTopology }) => [nodeTopology?.matchLabels?.[zoneKey] ?? '', quantity(capacity)]),
      );
      return own.length === Object.keys(expected).length && describeFigures(seen) === describeFigures(expected)
        ? found(own)
        : notYet(describeFigures(seen));
    },
  });
}

function describeFigures(figures: Readonly<Record<string, bigint>>): string {
  const words = Object.entries(figures).map(([zone, bytes]) => `${zone} ${bytes}`);
  return words.toSorted().join(', ') || 'none';
}

function quantity(text = '-1'): bigint {
  return quantityToBytes(parseQuantity(text));
}
