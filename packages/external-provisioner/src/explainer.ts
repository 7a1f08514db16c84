import type { Explainer, Explanation, WorkQueue } from '@holdfast/control';
import { objectKey, type PersistentVolume, type PersistentVolumeClaim } from '@holdfast/kube';
import type { ClaimMemory } from './claim-memory.ts';
import { type ClaimStep, classNameOf } from './decide.ts';
import type { VolumeStep } from './decide-volume.ts';
import { explainClaim, explainVolume } from './explain.ts';
import { selectedNodeOf, type VolumePlan } from './plan.ts';
import type { Stores } from './stores.ts';

export interface ExplainerDeps {
  readonly stores: Pick<Stores, 'claims' | 'volumes'>;
  readonly memory: ClaimMemory;
  /** By the claim's uid, from what the caches hold. */
  readonly decideClaim: (uid: string) => ClaimStep;
  readonly decideVolume: (volume: PersistentVolume) => VolumeStep;
  readonly claimQueue: Pick<WorkQueue, 'report'>;
  readonly volumeQueue: Pick<WorkQueue, 'report'>;
}

/** Answers for claims, those that are gone and have left something to do among them, and for volumes. */
export function createExplainer(deps: ExplainerDeps): Explainer {
  const { memory } = deps;
  const { claims, volumes } = deps.stores;

  /** Several when a claim was made anew under the name of one whose volume is still on its way. */
  function uidsOf(key: string): Set<string> {
    const claim = claims.get(key);
    const begun = memory.open().filter(({ plan }) => objectKey(plan.claim) === key);
    return new Set([...(claim ? [claim.metadata.uid] : []), ...begun.map(({ plan }) => plan.claim.metadata.uid)]);
  }

  function ofClaim(uid: string): Explanation {
    const [claim] = claims.byIndex('uid', uid);
    const step = deps.decideClaim(uid);
    const progress = memory.progress(uid);
    const plan = progress && progress.kind !== 'saved' ? progress.plan : undefined;
    return {
      matter: `provisioning (uid ${uid})`,
      verdict: explainClaim(step),
      reason: step.reason,
      key: deps.claimQueue.report(uid),
      facts: { ...claimFacts(claim ?? plan?.claim), claim: claim ? undefined : 'it is gone', ...planFacts(plan) },
    };
  }

  function ofVolume(volume: PersistentVolume): Explanation {
    const step = deps.decideVolume(volume);
    return {
      matter: 'deletion',
      verdict: explainVolume(step),
      reason: step.reason,
      key: deps.volumeQueue.report(volume.metadata.name),
      facts: volumeFacts(volume),
    };
  }

  return {
    claim: {
      kind: 'PersistentVolumeClaim',
      isNamespaced: true,
      explain: (key) => [...uidsOf(key)].map(ofClaim),
      *candidates() {
        for (const { plan } of memory.open()) yield objectKey(plan.claim);
        for (const claim of claims.list()) if (!claim.spec?.volumeName) yield objectKey(claim);
      },
    },
    volume: {
      kind: 'PersistentVolume',
      isNamespaced: false,
      explain(name) {
        const volume = volumes.get(name);
        return volume ? [ofVolume(volume)] : [];
      },
      *candidates() {
        for (const { metadata, status } of volumes.list()) {
          if (status?.phase === 'Released' || metadata.deletionTimestamp !== undefined) yield metadata.name;
        }
      },
    },
  };
}

function claimFacts(claim: PersistentVolumeClaim | undefined): Explanation['facts'] {
  if (claim === undefined || claim.spec?.volumeName) return {};
  return {
    StorageClass: classNameOf(claim),
    node: selectedNodeOf(claim),
    'to be deleted': claim.metadata.deletionTimestamp && `since ${claim.metadata.deletionTimestamp}`,
  };
}

function planFacts(plan: VolumePlan | undefined): Explanation['facts'] {
  if (plan === undefined) return {};
  const { volumeName, selectedNode, secretRefs, source } = plan;
  return {
    'volume begun': volumeName,
    'begun for node': selectedNode,
    secret: secretRefs.provisioner && `${secretRefs.provisioner.namespace}/${secretRefs.provisioner.name}`,
    'filled from': source && `${source.kind} ${source.namespace}/${source.name}`,
  };
}

function volumeFacts({ metadata, spec, status }: PersistentVolume): Explanation['facts'] {
  return {
    phase: status?.phase,
    policy: spec?.persistentVolumeReclaimPolicy,
    handle: spec?.csi?.volumeHandle,
    finalizers: metadata.finalizers?.join(', '),
    'to be deleted': metadata.deletionTimestamp && `since ${metadata.deletionTimestamp}`,
  };
}
