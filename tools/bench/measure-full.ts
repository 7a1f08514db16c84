import type { StoreChange } from '@holdfast/control';
import { type PersistentVolume, persistentVolumeClaims, persistentVolumes, volumeAttachments } from '@holdfast/kube';
import type { SidecarName } from '../rig/contract.ts';
import type { KubernetesCluster } from '../rig/kubernetes-cluster.ts';
import { bindByHand, type FullCluster, fillCluster } from './load/full-cluster.ts';
import { inParallel } from './load/in-parallel.ts';
import { attachmentDraft, claimDraft, namespace } from './load/objects.ts';
import { noteArrivals } from './load/watcher.ts';
import type { MeasureDeps } from './measure-load.ts';
import { sidecarNames } from './programs.ts';
import { createSidecarGroup, type SidecarGroup } from './sidecar-group.ts';

/** Objects that change while a sidecar has something to do. */
const changes = 5000;
const requestsAtOnce = 32;

/** Volumes of the driver's that one measurement uses up: a start and a flood of changes, each with work for two sidecars. */
export const sparePerMeasurement = 4;

/**
 * The sidecars of one maker started on a cluster that is full. The time of a start is from its execution to the end of work that was
 * waiting for it: alike for any program, whatever it lists, logs or serves, and what a user would wait for.
 */
export async function measureFull(full: FullCluster, nth: number, deps: MeasureDeps): Promise<void> {
  const { args, maker, footing, record, say, signal } = deps;
  const { cluster, driver, folder } = footing;
  const group = createSidecarGroup(
    {
      maker,
      profile: 'unlimited',
      csiAddress: driver.address,
      kubeconfig: cluster.adminKubeconfig,
      folder,
      nodeFlags: args.nodeFlags,
      profileFolder: args.profileFolder,
    },
    { cluster, signal },
  );
  const spares = full.spareClaims.slice(nth * sparePerMeasurement, (nth + 1) * sparePerMeasurement);
  const nextSpare = (): string => {
    const spare = spares.shift();
    if (spare === undefined) throw new Error('no volume is left to work with');
    return spare;
  };
  const section = `${args.fullClaims.toLocaleString('en')} bound claims, half of them attached`;
  try {
    await cluster.forgetRequests();
    for (const name of sidecarNames) {
      say(`${maker}: start of csi-${name}, ${section}`);
      const work = await askForWork(name, { label: `start-${nth}`, nextSpare }, deps);
      const startedMs = performance.now();
      await group.start(name);
      const doneMs = await work.doneAtMs;
      record({ section, name: `csi-${name}: started → its work done`, unit: 'ms', value: doneMs - startedMs });
      await group.settle();
      recordState(section, name, group, deps);
    }
    await measureFlood(full, { label: `flood-${nth}`, nextSpare }, group, deps);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}\n${group.logTails()}`, { cause: error });
  } finally {
    await group.stop();
  }
}

function recordState(section: string, name: SidecarName, group: SidecarGroup, { record }: MeasureDeps): void {
  const { residentKiB, anonymousKiB } = group.memory(name);
  record({ section, name: `csi-${name}: CPU of its start`, unit: 's', value: group.cpuSeconds(name) });
  record({ section, name: `csi-${name}: resident`, unit: 'KiB', value: residentKiB });
  record({ section, name: `csi-${name}: anonymous`, unit: 'KiB', value: anonymousKiB });
}

/** Many volumes change, none in a way that matters, and then each sidecar gets something to do. */
async function measureFlood(
  full: FullCluster,
  source: WorkSource,
  group: SidecarGroup,
  deps: MeasureDeps,
): Promise<void> {
  const { maker, footing, record, say, signal } = deps;
  const { client } = footing.cluster;
  const touched = full.volumeNames.slice(0, changes);
  const section = `${touched.length.toLocaleString('en')} volumes change that nobody needs to act on`;
  say(`${maker}: ${section}`);
  const cpuBefore = new Map(sidecarNames.map((name) => [name, group.cpuSeconds(name)]));
  const body = { metadata: { annotations: { 'bench/touched': source.label } } };
  await inParallel(touched, requestsAtOnce, async (name) => {
    await client.patch(persistentVolumes, { name }, { kind: 'merge', body }, { signal });
  });
  const works = await Promise.all(
    sidecarNames.map(async (name) => ({
      name,
      askedMs: performance.now(),
      work: await askForWork(name, source, deps),
    })),
  );
  for (const { name, askedMs, work } of works) {
    const doneMs = await work.doneAtMs;
    record({ section, name: `csi-${name}: work asked for at their end → done`, unit: 'ms', value: doneMs - askedMs });
  }
  await group.settle();
  for (const name of sidecarNames) {
    const value = group.cpuSeconds(name) - (cpuBefore.get(name) ?? 0);
    record({ section, name: `csi-${name}: CPU`, unit: 's', value });
  }
}

interface WorkSource {
  readonly label: string;
  readonly nextSpare: () => string;
}

/** Gives one sidecar one thing to do. The rest of the work, which loops that stand still would do, is done here. */
async function askForWork(
  sidecar: SidecarName,
  { label, nextSpare }: WorkSource,
  { args, footing, signal }: MeasureDeps,
): Promise<{ readonly doneAtMs: Promise<number> }> {
  const { cluster, driver, watcher } = footing;
  const { client } = cluster;
  switch (sidecar) {
    case 'provisioner': {
      const claim = `work-${label}`;
      const { atMs, all } = noteArrivals(watcher.volumes, [claim], claimOf, { what: 'provisioned', signal });
      const draft = claimDraft(claim, args);
      const annotations = { 'volume.kubernetes.io/storage-provisioner': driver.name };
      await client.create(persistentVolumeClaims, { ...draft, metadata: { ...draft.metadata, annotations } });
      const doneAtMs = all.then(async () => {
        const volume = watcher.volumes.list().find(({ spec }) => spec?.claimRef?.name === claim);
        if (volume !== undefined) await bindByHand(client, claim, volume.metadata.name, args.size);
        return atMs.get(claim) ?? Number.NaN;
      });
      return { doneAtMs };
    }
    case 'attacher': {
      const volume = `pvc-${nextSpare()}`;
      const { atMs, all } = noteArrivals(
        watcher.attachments,
        [volume],
        ({ object }) => (object.status?.attached ? object.spec.source.persistentVolumeName : undefined),
        { what: 'attached', signal },
      );
      await client.create(volumeAttachments, attachmentDraft(volume, driver.name));
      return { doneAtMs: all.then(() => atMs.get(volume) ?? Number.NaN) };
    }
    case 'resizer': {
      const claim = nextSpare();
      const isGrown = (change: StoreChange<PersistentVolume>): string | undefined =>
        change.object.spec?.capacity?.storage === args.grownSize ? claimOf(change) : undefined;
      const { atMs, all } = noteArrivals(watcher.volumes, [claim], isGrown, { what: 'expanded', signal });
      const body = { spec: { resources: { requests: { storage: args.grownSize } } } };
      await client.patch(persistentVolumeClaims, { namespace, name: claim }, { kind: 'merge', body });
      return { doneAtMs: all.then(() => atMs.get(claim) ?? Number.NaN) };
    }
    default:
      return sidecar satisfies never;
  }
}

function claimOf({ kind, object }: StoreChange<PersistentVolume>): string | undefined {
  return kind === 'deleted' ? undefined : object.spec?.claimRef?.name;
}

export function holdControllerManager(cluster: KubernetesCluster): void {
  for (const program of cluster.programs) if (program.label === 'kube-controller-manager') program.signal('SIGSTOP');
}

/** Makes what all measurements of this part stand on. The controller manager is held for as long as it lasts: the rest is done by hand. */
export async function prepareFull(
  measurements: number,
  deps: Omit<MeasureDeps, 'maker' | 'record'>,
): Promise<FullCluster> {
  const { args, footing, say, signal } = deps;
  const { cluster, driver } = footing;
  say(`filling the cluster: ${args.fullClaims.toLocaleString('en')} claims`);
  holdControllerManager(cluster);
  return await fillCluster({
    client: cluster.client,
    driver,
    parameters: args.parameters,
    size: args.size,
    claims: args.fullClaims,
    attached: Math.floor(args.fullClaims / 2),
    spare: measurements * sparePerMeasurement,
    signal,
  });
}
