import { setTimeout as sleep } from 'node:timers/promises';
import { persistentVolumeClaims, volumeAttachments } from '@holdfast/kube';
import type { SidecarName } from '../rig/contract.ts';
import type { BenchArguments, Trouble } from './arguments.ts';
import { fillCluster } from './load/full-cluster.ts';
import { inParallel } from './load/in-parallel.ts';
import { attachmentDraft, namespace } from './load/objects.ts';
import { noteArrivals } from './load/watcher.ts';
import { holdControllerManager } from './measure-full.ts';
import { type MeasureDeps, recordWrites } from './measure-load.ts';
import { createSidecarGroup } from './sidecar-group.ts';

const usualObjects = { 'slow-attach': 1000, 'failing-attach': 500, 'failing-expand': 500 } as const;
const sidecarOf = { 'slow-attach': 'attacher', 'failing-attach': 'attacher', 'failing-expand': 'resizer' } as const;
const requestsAtOnce = 16;

export function withTrouble(args: BenchArguments, part: Trouble): BenchArguments {
  const isFailing = part !== 'slow-attach';
  return { ...args, driver: { kind: 'troubled', attachMs: args.slowAttachMs, isFailing } };
}

/** One sidecar of one maker beside a driver that is slow, until all is done, or that fails, for a while. */
export async function measureTrouble(part: Trouble, deps: MeasureDeps): Promise<void> {
  const { args, maker, footing, record, say, signal } = deps;
  const { cluster, driver, folder } = footing;
  const objects = args.objects ?? usualObjects[part];
  const name: SidecarName = sidecarOf[part];
  const section = sectionOf(part, objects, args);
  say(`${maker}: ${section}`);
  holdControllerManager(cluster);
  const { client } = cluster;
  const { parameters, size } = args;
  const filled = await fillCluster({
    client,
    driver,
    parameters,
    size,
    claims: objects,
    attached: 0,
    spare: objects,
    signal,
  });
  const group = createSidecarGroup(
    {
      maker,
      profile: 'unlimited',
      csiAddress: driver.address,
      kubeconfig: cluster.adminKubeconfig,
      folder,
      nodeFlags: args.nodeFlags,
      profileFolder: args.profileFolder,
      // Longer than the driver takes, or no attachment would ever be seen to succeed.
      extraFlags: [`--timeout=${args.slowAttachMs / 1000 + 45}s`],
    },
    { cluster, signal },
  );
  try {
    await group.start(name);
    await group.settle();
    await cluster.forgetRequests();
    const cpuBefore = group.cpuSeconds(name);
    const startedMs = performance.now();
    if (part === 'slow-attach') await attachAll(filled.volumeNames, deps);
    else await askAndWait(part, filled, deps);
    const tookMs = performance.now() - startedMs;
    if (part === 'slow-attach') record({ section, name: 'asked → all attached', unit: 's', value: tookMs / 1000 });
    const calls =
      driver.program
        ?.log()
        .split('\n')
        .filter((line) => line.startsWith('Controller')).length ?? 0;
    const cpu = group.cpuSeconds(name) - cpuBefore;
    const { residentKiB, anonymousKiB } = group.memory(name);
    record({ section, name: 'calls of the driver', unit: 'per object', value: calls / objects });
    const recordKinds = await recordWrites(section, objects, [name], deps);
    record({ section, name: `CPU of csi-${name}`, unit: 's', value: cpu });
    record({ section, name: `csi-${name}, at the end: resident`, unit: 'KiB', value: residentKiB });
    record({ section, name: `csi-${name}, at the end: anonymous`, unit: 'KiB', value: anonymousKiB });
    recordKinds();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}\n${group.logTails()}`, { cause: error });
  } finally {
    await group.stop();
  }
}

function sectionOf(part: Trouble, objects: number, { slowAttachMs, failingMs }: BenchArguments): string {
  const count = objects.toLocaleString('en');
  if (part === 'slow-attach')
    return `${count} attachments, each of which the driver takes ${slowAttachMs / 1000} s for`;
  const what = part === 'failing-attach' ? 'attachments' : 'expansions';
  return `${count} ${what} that the driver fails, for ${failingMs / 1000} s`;
}

async function attachAll(volumes: readonly string[], { footing, signal }: MeasureDeps): Promise<void> {
  const attached = noteArrivals(
    footing.watcher.attachments,
    volumes,
    ({ object }) => (object.status?.attached ? object.spec.source.persistentVolumeName : undefined),
    { what: 'attached', signal },
  );
  await createAttachments(volumes, { footing, signal });
  await attached.all;
}

async function createAttachments(
  volumes: readonly string[],
  { footing, signal }: Pick<MeasureDeps, 'footing' | 'signal'>,
): Promise<void> {
  const { cluster, driver } = footing;
  await inParallel(volumes, requestsAtOnce, async (volume) => {
    await cluster.client.create(volumeAttachments, attachmentDraft(volume, driver.name), { signal });
  });
}

async function askAndWait(
  part: Trouble,
  { volumeNames, spareClaims }: { readonly volumeNames: readonly string[]; readonly spareClaims: readonly string[] },
  { args, footing, signal }: MeasureDeps,
): Promise<void> {
  const endMs = performance.now() + args.failingMs;
  const body = { spec: { resources: { requests: { storage: args.grownSize } } } };
  if (part === 'failing-attach') await createAttachments(volumeNames, { footing, signal });
  else {
    await inParallel(spareClaims, requestsAtOnce, async (name) => {
      const key = { namespace, name };
      await footing.cluster.client.patch(persistentVolumeClaims, key, { kind: 'merge', body }, { signal });
    });
  }
  await sleep(Math.max(0, endMs - performance.now()), undefined, { signal });
}
