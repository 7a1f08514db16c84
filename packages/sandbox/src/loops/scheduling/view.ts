import type { Pod } from '@holdfast/kube';
import { volumeOfClaim } from '../attaching/view.ts';
import { classNameOfClaim } from '../binding/match.ts';
import type { Caches } from '../caches.ts';
import { annotations } from '../names.ts';
import { claimKeysOfPod, claimsOfPod, isPodFinished } from '../pod-claims.ts';
import type { Candidate, PodClaimState, PodView } from './decide.ts';

/**
 * What there is to know about a pod without a node.
 * @param assumed nodes of pods bound just now, by uid, that the cache may not show yet
 * @param preferredNode the node that was chosen when the pod's volumes had yet to be made
 */
export function viewPod(
  caches: Caches,
  pod: Pod,
  assumed: ReadonlyMap<string, string>,
  preferredNode: string | undefined,
): PodView {
  const names = new Set(claimsOfPod(pod).map(({ claimName }) => claimName));
  return {
    pod,
    preferredNode,
    claims: [...names].map((name) => claimState(caches, `${pod.metadata.namespace ?? ''}/${name}`, name)),
    candidates: candidates(caches, assumed),
    volumes: caches.volumes.list(),
    drivers: new Set([
      ...caches.csiDrivers.list().map((driver) => driver.metadata.name),
      ...caches.csiNodes.list().flatMap((node) => node.spec.drivers.map(({ name }) => name)),
    ]),
  };
}

function claimState(caches: Caches, key: string, name: string): PodClaimState {
  const claim = caches.claims.get(key);
  if (claim === undefined) {
    return { kind: 'missing', name };
  }
  const volume = volumeOfClaim(caches, key);
  if (volume !== undefined && claim.metadata.annotations?.[annotations.bindCompleted] !== undefined) {
    return { kind: 'bound', claim, volume };
  }
  const className = classNameOfClaim(claim);
  const storageClass = className === undefined ? undefined : caches.classes.get(className);
  return storageClass?.volumeBindingMode === 'WaitForFirstConsumer'
    ? { kind: 'delayed', claim, storageClass }
    : { kind: 'immediate', claim };
}

function candidates(caches: Caches, assumed: ReadonlyMap<string, string>): readonly Candidate[] {
  const podsByNode = new Map<string, Pod[]>();
  for (const pod of caches.pods.list()) {
    const nodeName = pod.spec?.nodeName ?? assumed.get(pod.metadata.uid);
    if (nodeName !== undefined && nodeName !== '' && !isPodFinished(pod)) {
      podsByNode.set(nodeName, [...(podsByNode.get(nodeName) ?? []), pod]);
    }
  }
  return caches.nodes.list().map((node) => {
    const pods = podsByNode.get(node.metadata.name) ?? [];
    return {
      node,
      csiNode: caches.csiNodes.get(node.metadata.name),
      volumesByDriver: volumesByDriver(caches, node.metadata.name, pods),
      podCount: pods.length,
    };
  });
}

function volumesByDriver(caches: Caches, nodeName: string, pods: readonly Pod[]): ReadonlyMap<string, Set<string>> {
  const ofPods = pods.flatMap(claimKeysOfPod).map((key) => volumeOfClaim(caches, key));
  const attached = caches.attachments
    .byIndex('node', nodeName)
    .map(({ spec }) => caches.volumes.get(spec.source.persistentVolumeName ?? ''));
  const found = new Map<string, Set<string>>();
  for (const csi of [...ofPods, ...attached].map((volume) => volume?.spec?.csi)) {
    if (csi !== undefined) {
      found.set(csi.driver, (found.get(csi.driver) ?? new Set()).add(csi.volumeHandle));
    }
  }
  return found;
}
