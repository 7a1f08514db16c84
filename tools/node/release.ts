import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loopDevicesBelow } from '../../packages/holdfast/src/demo/machine.ts';
import { chartFolder } from '../chart/value-sets.ts';
import { kubeletFolder, nodeName } from './kubelet.ts';
import type { NodeWorld } from './node-world.ts';
import type { Layout } from './options.ts';

const release = 'holdfast';
export const namespace = 'holdfast-system';
const driver = 'disk.csi.holdfast';
/** How many volumes the driver attaches to the node: so few that a check can reach it. */
export const attachLimit = 3;
const poolFolder = (scratch: string): string => join(scratch, 'pool');

/** What differs from the chart's defaults is where the node keeps its things, how many volumes it takes, and the images' name. */
export async function install(world: NodeWorld, layout: Layout, registry: string): Promise<void> {
  const { scratch, helm } = world;
  const classes = ['ext4', 'xfs'].map((name) => ({ name, parameters: { 'csi.storage.k8s.io/fstype': name } }));
  const values = [
    `layout=${layout}`,
    `images.registry=${registry}`,
    'images.pullPolicy=Never',
    `driver.holdfast.poolPath=${poolFolder(scratch)}`,
    `driver.holdfast.maxVolumesPerNode=${attachLimit}`,
    `node.kubeletPath=${kubeletFolder(scratch)}`,
    'csiDriver.volumeLifecycleModes={Persistent,Ephemeral}',
  ];
  const command = ['upgrade', '--install', release, chartFolder, '--namespace', namespace, '--create-namespace'];
  await helm(
    ...command,
    ...values.flatMap((value) => ['--set', value]),
    '--set-json',
    `storageClasses=${JSON.stringify(classes)}`,
  );
  await startsOwnPods(world);
}

/** Changes one value of the release as it is. */
export async function upgrade(world: NodeWorld, value?: string): Promise<void> {
  const set =
    value === undefined
      ? ['--reset-then-reuse-values', '--set', 'attacher.enabled=null']
      : ['--reuse-values', '--set', value];
  await world.helm('upgrade', release, chartFolder, '--namespace', namespace, ...set);
  await startsOwnPods(world);
}

/** Of a driver of the same pool that is no part of the release. */
export function driverArgs(scratch: string): string[] {
  return [
    '--backend=disk',
    `--driver-name=${driver}`,
    `--node-id=${nodeName}`,
    `--pool-dir=${poolFolder(scratch)}`,
    `--max-volumes-per-node=${attachLimit}`,
  ];
}

/** Until every pod of the release is ready and the node knows the driver. */
export async function startsOwnPods({ kubectl, value, until }: NodeWorld): Promise<void> {
  for (const workload of [`deployment/${release}-controller`, `daemonset/${release}-node`]) {
    await kubectl('rollout', 'status', workload, '-n', namespace, '--timeout=170s').catch(async (error: unknown) => {
      const pods = await kubectl('describe', 'pods', '-n', namespace);
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${pods}`);
    });
  }
  await until(`node ${nodeName} to know ${driver}`, async () =>
    (await value(`csinode/${nodeName}`, '{.spec.drivers[*].name}')).includes(driver) ? true : undefined,
  );
}

/** @throws Error for anything that outlives the release */
export async function uninstall({ scratch, helm, kubectl, until }: NodeWorld): Promise<void> {
  await until('every volume to be deleted', async () =>
    (await kubectl('get', 'pv', '-o', 'name')) === '' ? true : undefined,
  );
  await helm('uninstall', release, '--namespace', namespace, '--wait');
  await until('the pods to end', async () =>
    (await kubectl('get', 'pods', '-n', namespace, '-o', 'name')) === '' ? true : undefined,
  );
  const left = [
    ...(await kubectl('get', 'volumeattachments,pv,csidrivers,storageclasses', '-o', 'name')).split('\n'),
    ...loopDevicesBelow(scratch),
    ...['volumes', 'images', 'stages', 'snapshots'].flatMap((name) =>
      readdirSync(join(poolFolder(scratch), name)).map((entry) => `${name}/${entry}`),
    ),
  ].filter((what) => what !== '');
  if (left.length > 0) throw new Error(`this is left: ${left.join(', ')}`);
  await until('the node to forget the driver', async () =>
    (await kubectl('get', 'csinodes', '-o', 'jsonpath={.items[*].spec.drivers[*].name}')).includes(driver)
      ? undefined
      : true,
  );
}
