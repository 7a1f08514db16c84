import { main } from '@holdfast/external-resizer';
import {
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  secrets,
  storageClasses,
  volumeAttributesClasses,
} from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import type { CallHook, CrashRig, CrashScenario, CrashSubject, ScriptedDriverOptions } from '@holdfast/sandbox/testing';
import { addBoundClaim, claimOf, growOnNode, isSettled, NAMESPACE, type Wish, wish } from './bound-claims.ts';
import { electionFlags, elections, ifFound } from './cluster.ts';
import { textAt, valueAt } from './request.ts';
import { until } from './wait.ts';

const GI = 1024n ** 3n;

const subject: CrashSubject = {
  name: 'csi-resizer',
  main,
  // The longer one is what the resizer waits until it asks again for what the driver has called impossible.
  flags: ['--retry-interval-start=20ms', '--retry-interval-max=20s'],
  driver: driverWith([]),
  behaviour: refusesTheImpossible,
  hasLoops: false,
};

/**
 * Claims grow and get other classes, and what the driver refuses is given up for less; while the resizer is down the claim is
 * deleted, or the user asks for something else.
 */
export const resizerScenarios: readonly CrashScenario[] = [
  scenario('expand', [{ storage: '2Gi' }]),
  scenario('expand, then on the node', [{ storage: '2Gi' }], { driver: driverWith(['EXPAND_VOLUME']) }),
  scenario('expand after a failure', [{ storage: '50Gi' }, { storage: '2Gi' }]),
  scenario('calls that fail once', [{ storage: '2Gi' }, { className: 'gold' }], { behaviour: failsOnce }),
  scenario('modify', [{ className: 'gold' }]),
  scenario('modify after a failure', [{ className: 'impossible' }, { className: 'gold' }]),
  scenario('both at once', [{ storage: '2Gi', className: 'gold' }]),
  {
    ...scenario('with leader election', [{ storage: '2Gi', className: 'gold' }], {
      flags: [...subject.flags, ...electionFlags],
    }),
    ...elections,
  },
];

function driverWith(node: NonNullable<ScriptedDriverOptions['capabilities']>['node']): ScriptedDriverOptions {
  return {
    capabilities: {
      plugin: ['CONTROLLER_SERVICE', 'EXPANSION_ONLINE'],
      controller: ['EXPAND_VOLUME', 'MODIFY_VOLUME'],
      ...(node === undefined ? {} : { node }),
    },
  };
}

/** @param wishes one after the other, each once the one before has been granted or refused */
function scenario(name: string, wishes: readonly Wish[], more: Partial<CrashSubject> = {}): CrashScenario {
  return {
    name: `external-resizer, ${name}`,
    subject: { ...subject, ...more },
    prepare,
    live: (rig, signal) => live(rig, wishes, signal),
    meanwhile: {
      deleted: deleteClaims,
      'asked for something else': async (rig) => {
        for (const { metadata, spec } of (await rig.cluster.client.list(persistentVolumeClaims)).items) {
          const isLarge = spec?.resources?.requests?.['storage'] === '50Gi';
          await wish(rig, metadata.name, { storage: isLarge ? '2Gi' : '3Gi', className: 'silver' });
        }
      },
    },
    rest,
  };
}

async function prepare({ cluster: { client }, driver }: CrashRig): Promise<void> {
  await client.create(storageClasses, {
    metadata: { name: 'disk' },
    provisioner: driver.name,
    allowVolumeExpansion: true,
  });
  for (const name of ['gold', 'silver', 'impossible']) {
    await client.create(volumeAttributesClasses, {
      metadata: { name },
      driverName: driver.name,
      parameters: { class: name },
    });
  }
  await client.create(secrets, {
    metadata: { name: 'expand', namespace: NAMESPACE },
    data: { key: Buffer.from('secret').toString('base64') },
  });
}

async function live(rig: CrashRig, wishes: readonly Wish[], signal: AbortSignal): Promise<void> {
  const name = await addBoundClaim(rig);
  for (const [index, wanted] of wishes.entries()) {
    await wish(rig, name, wanted);
    const isLast = index === wishes.length - 1;
    await until(`${name} has got ${JSON.stringify(wanted)}`, signal, async () => {
      const claim = await claimOf(rig, name);
      if (claim === undefined) throw new Error(`claim ${name} is gone`);
      return (await isAtRest(rig, claim)) || (!isLast && isRefused(claim));
    });
  }
  await deleteClaim(rig, name);
}

function isRefused({ status }: PersistentVolumeClaim): boolean {
  const { allocatedResourceStatuses, modifyVolumeStatus } = status ?? {};
  return (
    allocatedResourceStatuses?.['storage'] === 'ControllerResizeInfeasible' ||
    modifyVolumeStatus?.status === 'Infeasible'
  );
}

/** Looks, and does kubelet's part. */
async function isAtRest(rig: CrashRig, claim: PersistentVolumeClaim): Promise<boolean> {
  if (claim.status?.allocatedResourceStatuses?.['storage'] === 'NodeResizePending') await growOnNode(rig, claim);
  const volume = await ifFound(rig.cluster.client.get(persistentVolumes, { name: claim.spec?.volumeName ?? '' }));
  return volume !== undefined && isSettled(rig, claim, volume);
}

async function deleteClaim({ cluster: { client }, driver }: CrashRig, name: string): Promise<void> {
  await ifFound(client.delete(persistentVolumeClaims, { name, namespace: NAMESPACE }));
  await ifFound(client.delete(persistentVolumes, { name }));
  driver.removeVolume(`vol-${name}`);
}

async function deleteClaims(rig: CrashRig): Promise<void> {
  for (const { metadata } of (await rig.cluster.client.list(persistentVolumeClaims)).items) {
    await deleteClaim(rig, metadata.name);
  }
}

async function rest(rig: CrashRig, signal: AbortSignal): Promise<void> {
  await until('every claim has what it asks for, as volume and driver have it', signal, async () => {
    const { items } = await rig.cluster.client.list(persistentVolumeClaims);
    const found = await Promise.all(items.map((claim) => isAtRest(rig, claim)));
    return found.every((each) => each);
  });
}

function refusesTheImpossible(): CallHook {
  return async ({ method, request }, proceed) => {
    if (isImpossible(method, request)) {
      throw rpcError(method === 'ControllerModifyVolume' ? 'InvalidArgument' : 'OutOfRange', 'that is impossible');
    }
    return await proceed();
  };
}

function isImpossible(method: string, request: unknown): boolean {
  if (method === 'ControllerExpandVolume')
    return (valueAt(request, 'capacityRange', 'requiredBytes') ?? 0n) === 50n * GI;
  return method === 'ControllerModifyVolume' && valueAt(request, 'mutableParameters', 'class') === 'impossible';
}

/** The first expansion of a volume is done and the first modification is not; of neither the driver says which. */
function failsOnce(): CallHook {
  const seen = new Set<string>();
  return async ({ method, request }, proceed) => {
    const key = `${method} ${textAt(request, 'volumeId')}`;
    if (!/^Controller(Expand|Modify)Volume$/.test(method) || seen.has(key)) return await proceed();
    seen.add(key);
    if (method === 'ControllerExpandVolume') await proceed();
    throw rpcError('DeadlineExceeded', 'it took too long');
  };
}
