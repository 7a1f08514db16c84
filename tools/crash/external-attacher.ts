import { main } from '@holdfast/external-attacher';
import { csiNodes, persistentVolumes, secrets, volumeAttachments } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import type { CallHook, CrashRig, CrashScenario, CrashSubject } from '@holdfast/sandbox/testing';
import { addAttachment, addVolume, attach, detach, dropVolume, isAttached } from './attachments.ts';
import { electionFlags, elections, ifFound } from './cluster.ts';
import { textAt } from './request.ts';
import { until } from './wait.ts';

const nodes = ['n1', 'n2'];

const subject: CrashSubject = {
  name: 'csi-attacher',
  main,
  flags: ['--retry-interval-start=20ms', '--retry-interval-max=1s', '--reconcile-sync=1h'],
  driver: { capabilities: { plugin: ['CONTROLLER_SERVICE'], controller: ['PUBLISH_UNPUBLISH_VOLUME'] } },
  // Nobody's pods: the loop that detaches what no pod uses would be in the way.
  hasLoops: false,
};

/**
 * Volumes are attached, moved and detached; while the attacher is down the VolumeAttachment is deleted, or its volume with it, or
 * somebody has torn the volume away.
 */
export const attacherScenarios: readonly CrashScenario[] = [
  scenario('attach and detach', attachAndDetach),
  scenario('calls that fail once', attachAndDetach, { behaviour: failsOnce }),
  scenario('from node to node', moveToAnotherNode),
  {
    ...scenario('lost behind our back', attachAndDetach, {
      driver: {
        capabilities: {
          plugin: ['CONTROLLER_SERVICE'],
          controller: ['PUBLISH_UNPUBLISH_VOLUME', 'LIST_VOLUMES', 'LIST_VOLUMES_PUBLISHED_NODES'],
        },
      },
    }),
    prepare: prepareLost,
  },
  {
    ...scenario('with leader election', attachAndDetach, { flags: [...subject.flags, ...electionFlags] }),
    ...elections,
  },
];

function scenario(name: string, live: CrashScenario['live'], more: Partial<CrashSubject> = {}): CrashScenario {
  return {
    name: `external-attacher, ${name}`,
    subject: { ...subject, ...more },
    prepare,
    live,
    meanwhile: {
      detached: deleteAttachments,
      'detached and deleted': async (rig) => {
        await deleteAttachments(rig);
        await deleteVolumes(rig);
      },
      'torn away': async (rig) => {
        await deleteVolumes(rig);
        await tearVolumes(rig);
        await deleteAttachments(rig);
      },
    },
    rest,
  };
}

async function prepare({ cluster: { client }, driver }: CrashRig): Promise<void> {
  for (const name of nodes) {
    await client.create(csiNodes, {
      metadata: { name },
      spec: { drivers: [{ name: driver.name, nodeID: `id-of-${name}`, topologyKeys: [] }] },
    });
  }
  await client.create(secrets, {
    metadata: { name: 'publish', namespace: 'default' },
    data: { key: Buffer.from('secret').toString('base64') },
  });
}

async function attachAndDetach(rig: CrashRig, signal: AbortSignal): Promise<void> {
  const volume = await addVolume(rig);
  const attachment = await attach(rig, { volume, node: 'n1' }, signal);
  await detach(rig, attachment, signal);
  await dropVolume(rig, volume, signal);
}

/** As the attach/detach loop moves a volume of a node that is gone: the new VolumeAttachment is there before the old one goes. */
async function moveToAnotherNode(rig: CrashRig, signal: AbortSignal): Promise<void> {
  const volume = await addVolume(rig);
  const from = await attach(rig, { volume, node: 'n1' }, signal);
  await rig.cluster.client.delete(volumeAttachments, { name: from });
  const to = await attach(rig, { volume, node: 'n2' }, signal);
  await detach(rig, to, signal);
  await dropVolume(rig, volume, signal);
}

/** A volume that its VolumeAttachment calls attached, and the driver has lost. */
async function prepareLost(rig: CrashRig): Promise<void> {
  await prepare(rig);
  const volume = await addVolume(rig);
  const name = await addAttachment(rig, { volume, node: 'n1' });
  const body = { status: { attached: true } };
  await rig.cluster.client.patch(volumeAttachments, { name }, { kind: 'merge', body }, { subresource: 'status' });
}

/** The first publish of a volume is done and answered with an error, the first unpublish is not done. */
function failsOnce(): CallHook {
  const seen = new Set<string>();
  return async ({ method, request }, proceed) => {
    const key = `${method} ${textAt(request, 'volumeId')}`;
    if (!/^Controller(Publish|Unpublish)Volume$/.test(method) || seen.has(key)) return await proceed();
    seen.add(key);
    if (method === 'ControllerPublishVolume') await proceed();
    throw rpcError('Internal', 'the first call fails');
  };
}

async function deleteAttachments({ cluster: { client } }: CrashRig): Promise<void> {
  for (const { metadata } of (await client.list(volumeAttachments)).items) {
    await ifFound(client.delete(volumeAttachments, { name: metadata.name }));
  }
}

async function deleteVolumes({ cluster: { client } }: CrashRig): Promise<void> {
  for (const { metadata } of (await client.list(persistentVolumes)).items) {
    await ifFound(client.delete(persistentVolumes, { name: metadata.name }));
  }
}

/** Whose finalizers they were does not matter to who takes them off. */
async function tearVolumes({ cluster: { client } }: CrashRig): Promise<void> {
  for (const { metadata } of (await client.list(persistentVolumes)).items) {
    const body = { metadata: { finalizers: null } };
    await ifFound(client.patch(persistentVolumes, { name: metadata.name }, { kind: 'merge', body }));
  }
}

/** What is to go is gone, what is attached is published, and nothing else is. */
async function rest(rig: CrashRig, signal: AbortSignal): Promise<void> {
  const { client } = rig.cluster;
  await until('every VolumeAttachment is attached or gone, as the driver has it', signal, async () => {
    const { items } = await client.list(volumeAttachments);
    if (items.some(({ metadata, status }) => metadata.deletionTimestamp !== undefined || !status?.attached))
      return false;
    const wanted = items.filter((each) => isAttached(rig, each)).length;
    const published = [...rig.driver.volumes.values()].reduce((sum, { publishedTo }) => sum + publishedTo.size, 0);
    return wanted === items.length && published === wanted;
  });
  await until('volumes that were deleted are gone', signal, async () => {
    const { items } = await client.list(persistentVolumes);
    return items.every(({ metadata }) => metadata.deletionTimestamp === undefined);
  });
  // What has no PersistentVolume any more was not ours to delete.
  const named = new Set((await client.list(persistentVolumes)).items.map(({ spec }) => spec?.csi?.volumeHandle));
  for (const id of rig.driver.volumes.keys()) if (!named.has(id)) rig.driver.removeVolume(id);
}
