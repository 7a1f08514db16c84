import type { Outcome } from '@holdfast/control';
import { objectKey, type PersistentVolumeClaim } from '@holdfast/kube';
import { createLoop, type Loop, type LoopDeps, watchKeys, watchStore } from '../loop.ts';
import { claimKeysOfPod } from '../pod-claims.ts';
import { type ClaimStep, decideClaim, type Notice } from './decide.ts';
import { bind, setClaimPhase, setClass, setProvisioner } from './steps.ts';

const done: Outcome = { kind: 'done' };
// kube-controller-manager repeats its notices with every resync of 15 s; an external provisioner is given that long too.
const noticeIntervalMs = 15_000;

/** Binds claims to volumes, asks external provisioners for missing ones, and says on the claim what it waits for. */
export function createClaimLoop(deps: LoopDeps): Loop {
  const { caches } = deps;

  async function reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const claim = caches.claims.get(key);
    if (claim === undefined) {
      return done;
    }
    const step = decideClaim({
      claim,
      classes: caches.classes.list(),
      volumes: caches.volumes.list(),
      waitingPods: caches.pods
        .byIndex('claim', key)
        .filter((pod) => (pod.spec?.nodeName ?? '') === '')
        .map((pod) => pod.metadata.name),
    });
    return carryOut(claim, step, signal);
  }

  async function carryOut(claim: PersistentVolumeClaim, step: ClaimStep, signal: AbortSignal): Promise<Outcome> {
    switch (step.kind) {
      case 'bind':
        await bind(deps, claim, step.volume, signal);
        return done;
      case 'setClass':
        await setClass(deps, claim, step.className, signal);
        return done;
      case 'requestVolume':
        await setProvisioner(deps, claim, step.provisioner, signal);
        return waitFor(caches.claims.get(objectKey(claim)) ?? claim, step.notice, signal);
      case 'wait':
        return waitFor(claim, step.notice, signal);
      case 'lose':
        if (claim.status?.phase !== 'Lost') {
          notify(claim, step.notice);
          await setClaimPhase(deps, claim, 'Lost', signal);
        }
        return done;
      default:
        return step satisfies never;
    }
  }

  async function waitFor(
    claim: PersistentVolumeClaim,
    notice: Notice | undefined,
    signal: AbortSignal,
  ): Promise<Outcome> {
    await setClaimPhase(deps, claim, 'Pending', signal);
    if (notice === undefined) {
      return done;
    }
    notify(claim, notice);
    return { kind: 'again', afterMs: noticeIntervalMs };
  }

  function notify(claim: PersistentVolumeClaim, notice: Notice): void {
    const object = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', metadata: claim.metadata };
    deps.recorder.event(object, notice.type, notice.reason, notice.message);
  }

  return createLoop(deps, {
    name: 'claim-binding',
    workers: 1,
    reconcile,
    watch: (enqueue) => {
      watchKeys(caches.claims, enqueue);
      watchStore(caches.pods, (pod) => claimKeysOfPod(pod).forEach(enqueue));
      // A volume that is new, free again or gone, and a class that appears, may end the waiting of any open claim.
      const enqueueOpenClaims = () =>
        caches.claims
          .list()
          .filter((claim) => claim.status?.phase !== 'Bound')
          .forEach((claim) => enqueue(objectKey(claim)));
      watchStore(caches.volumes, (volume) => {
        const ref = volume.spec?.claimRef;
        if (ref === undefined) {
          enqueueOpenClaims();
        } else {
          enqueue(`${ref.namespace ?? ''}/${ref.name ?? ''}`);
        }
      });
      watchStore(caches.classes, enqueueOpenClaims);
    },
  });
}
