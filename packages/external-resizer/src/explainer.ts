import type { Explainer, Explanation, Store } from '@holdfast/control';
import { objectKey, type PersistentVolume, type PersistentVolumeClaim } from '@holdfast/kube';
import { recordedClass, wantedClass } from './decide-modify.ts';
import { conditions, resizeConditions } from './names.ts';
import type { Stores } from './stores.ts';

/** What one part of the resizer says of a claim. */
export type ExplainClaim = (claim: PersistentVolumeClaim) => Pick<Explanation, 'verdict' | 'reason' | 'key'>;

/** Answers for claims. A part that does not run, or not yet, says nothing. */
export function createExplainer(deps: {
  stores: Pick<Stores, 'claims' | 'volumes'>;
  resize: () => ExplainClaim | undefined;
  modify: () => ExplainClaim | undefined;
}): Explainer {
  const { claims, volumes } = deps.stores;

  function explain(claim: PersistentVolumeClaim): Explanation[] {
    const resize = deps.resize()?.(claim);
    const modify = deps.modify()?.(claim);
    return [
      ...(resize ? [{ matter: 'expansion', ...resize, facts: resizeFacts(claim, volumes) }] : []),
      ...(modify ? [{ matter: 'modification', ...modify, facts: modifyFacts(claim) }] : []),
    ];
  }

  return {
    claim: {
      kind: 'PersistentVolumeClaim',
      isNamespaced: true,
      explain(key) {
        const claim = claims.get(key);
        return claim ? explain(claim) : [];
      },
      *candidates() {
        for (const claim of claims.list()) if (claim.spec?.volumeName) yield objectKey(claim);
      },
    },
  };
}

function resizeFacts(claim: PersistentVolumeClaim, volumes: Store<PersistentVolume>): Explanation['facts'] {
  const { spec, status } = claim;
  return {
    'asked for': spec?.resources?.requests?.storage,
    has: status?.capacity?.storage,
    volume: spec?.volumeName,
    'volume has': volumes.get(spec?.volumeName ?? '')?.spec?.capacity?.storage,
    'worked towards': status?.allocatedResources?.storage,
    status: status?.allocatedResourceStatuses?.storage,
    conditions: conditionTexts(claim, resizeConditions),
  };
}

function modifyFacts(claim: PersistentVolumeClaim): Explanation['facts'] {
  const { status } = claim;
  return {
    'asked for': wantedClass(claim),
    has: status?.currentVolumeAttributesClassName,
    'worked towards': recordedClass(claim),
    status: status?.modifyVolumeStatus?.status,
    conditions: conditionTexts(claim, [conditions.modifyingVolume, conditions.modifyVolumeError]),
  };
}

/** What is written on the claim, perhaps by a process before this one. */
function conditionTexts({ status }: PersistentVolumeClaim, types: readonly string[]): string {
  return (status?.conditions ?? [])
    .filter(({ type }) => types.includes(type))
    .map((condition) => `${condition.type}=${condition.status}${condition.message ? ` (${condition.message})` : ''}`)
    .join(', ');
}
