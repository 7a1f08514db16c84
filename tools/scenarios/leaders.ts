import type { KubeObject, Lease } from '@holdfast/kube';
import type { Program, SidecarName } from '../rig/contract.ts';
import { sidecarNamespace } from './capture.ts';
import type { Scene } from './scene.ts';
import { sidecarNames } from './settings.ts';
import { found, notYet } from './world.ts';

/** Short, so that a lease is soon over; the proportions are those of the defaults. */
const electionArgs = [
  '--leader-election-lease-duration=3s',
  '--leader-election-renew-deadline=2s',
  '--leader-election-retry-period=400ms',
];

export type Replica = 'a' | 'b';

/** Two replicas of every sidecar. */
export interface Replicas {
  of(replica: Replica): readonly Program[];
}

/** Starts `a`, and `b` once `a` leads. */
export async function startReplicas(scene: Scene): Promise<Replicas> {
  // Those of a scenario that failed half-way.
  await Promise.all([...scene.rig.sidecars.values()].map((program) => program.stop()));
  const started: Record<Replica, readonly Program[]> = { a: [], b: [] };
  for (const replica of ['a', 'b'] as const) {
    started[replica] = await Promise.all(
      sidecarNames.map((name) => scene.rig.startSidecar(name, { replica, args: electionArgs })),
    );
    await seeLeaders(scene, 'a');
  }
  return { of: (replica) => started[replica] };
}

export async function stopReplicas(replicas: Replicas): Promise<void> {
  // Standbys first, or each stop would be one more hand-over.
  for (const replica of ['b', 'a'] as const) await Promise.all(replicas.of(replica).map((program) => program.stop()));
}

export async function seeLeaders(scene: Scene, replica: Replica): Promise<void> {
  await scene.world.until({
    what: `replica ${replica} of every sidecar to lead`,
    look: () => {
      const holders = sidecarNames.map((name) => leaseOf(scene, name)?.spec?.holderIdentity ?? 'nobody');
      const isSo = sidecarNames.every((name, index) => holders[index] === identity(name, replica));
      return isSo ? found(true) : notYet(holders.join(', '));
    },
  });
}

/** By host name, which the rig gives to each replica. */
export function identity(name: SidecarName, replica: Replica): string {
  return `csi-${name}-${replica}`;
}

/** Who held each lease, one after the other; an empty name is a lease that was released. */
export function followHolders(scene: Scene): {
  readonly of: (name: SidecarName) => readonly string[];
  readonly stop: () => void;
} {
  const holders = new Map<SidecarName, string[]>();
  const note = (name: SidecarName): void => {
    const holder = leaseOf(scene, name)?.spec?.holderIdentity ?? '';
    const before = holders.get(name) ?? [];
    if (before.at(-1) !== holder) holders.set(name, [...before, holder]);
  };
  const noteAll = (): void => sidecarNames.forEach(note);
  noteAll();
  const stop = scene.world.onChange((object: KubeObject) => {
    if (object.metadata.namespace === sidecarNamespace) noteAll();
  });
  return { of: (name) => holders.get(name) ?? [], stop };
}

/** Upstream's names, which ours are. */
function leaseOf({ world, rig }: Scene, name: SidecarName): Lease | undefined {
  const driver = rig.driverName.replaceAll('.', '-');
  const wanted = {
    provisioner: driver,
    attacher: `external-attacher-leader-${driver}`,
    resizer: `external-resizer-${driver}`,
  }[name];
  return world.leases().find(({ metadata }) => metadata.namespace === sidecarNamespace && metadata.name === wanted);
}
