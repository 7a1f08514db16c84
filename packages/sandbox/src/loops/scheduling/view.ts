import type { Pod } from '@holdfast/kube';
import { volumeOfClaim } from '../attaching/view.ts';
import { classNameOfClaim } from '../binding/match.ts';
import type { Caches } from '../caches.ts';
import { annotations } from '../names.ts';
import { claimKeysOfPod, claimsOfPod, isPodFinished } from '../pod-claims.ts';
import type { Candidate, PodClaimState, PodView } from './decide.ts';

/**
 * What there is to know about a pod without a node.
 * @param nodeByPod nodes, by pod uid, that the cache may not show yet: of pods bound just now, and of those whose volumes are
 * being made
 */
export function viewPod(caches: Caches, pod: Pod, nodeByPod: ReadonlyMap<string, string>): PodView {
  const names = new Set(claimsOfPod(pod).map(({ claimName }) => claimName));
  return {
    pod,
    preferredNode: nodeByPod.get(pod.metadata.uid),
    claims: [...names].map((name) =>
      claimState(caches, pod, `${pod.metadata.namespace ?? ''}/${name}`, name, nodeByPod),
    ),
    candidates: candidates(caches, pod, nodeByPod),
    volumes: caches.volumes.list(),
    drivers: new Set([
      ...caches.csiDrivers.list().map((driver) => driver.metadata.name),
      // Without drivers an API server written in Go serves null.
      ...caches.csiNodes.list().flatMap((node) => node.spec.drivers?.map(({ name }) => name) ?? []),
    ]),
    room: {
      drivers: new Set(
        caches.csiDrivers
          .list()
          .flatMap(({ metadata, spec }) => (spec.storageCapacity === true ? [metadata.name] : [])),
      ),
      capacities: caches.capacities.list(),
    },
  };
}

function claimState(
  caches: Caches,
  pod: Pod,
  key: string,
  name: string,
  nodeByPod: ReadonlyMap<string, string>,
): PodClaimState {
  const claim = caches.claims.get(key);
  if (claim === undefined) {
    return { kind: 'missing', name };
  }
  const others = caches.pods.byIndex('claim', key).filter(({ metadata }) => metadata.uid !== pod.metadata.uid);
  const isForOnePod = claim.spec?.accessModes?.includes('ReadWriteOncePod') === true;
  if (isForOnePod && others.some((other) => nodeOf(other, nodeByPod) !== undefined)) {
    return { kind: 'taken', claim };
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

/** Where a pod runs, or is about to; undefined for one that has no node or has ended. */
function nodeOf(pod: Pod, nodeByPod: ReadonlyMap<string, string>): string | undefined {
  const nodeName = pod.spec?.nodeName ?? '';
  return isPodFinished(pod) ? undefined : nodeName === '' ? nodeByPod.get(pod.metadata.uid) : nodeName;
}

function candidates(caches: Caches, subject: Pod, nodeByPod: ReadonlyMap<string, string>): readonly Candidate[] {
  const podsByNode = new Map<string, Pod[]>();
  for (const pod of caches.pods.list().filter(({ metadata }) => metadata.uid !== subject.metadata.uid)) {
    const nodeName = nodeOf(pod, nodeByPod);
    if (nodeName !== undefined) {
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
  const found = new Map<string, Set<string>>();
  const add = (driver: string, id: string) => found.set(driver, (found.get(driver) ?? new Set()).add(id));
  for (const key of pods.flatMap(claimKeysOfPod)) {
    const csi = volumeOfClaim(caches, key)?.spec?.csi;
    const driver = csi?.driver ?? provisionerOf(caches, key);
    if (driver !== undefined) {
      // A volume yet to be made has no handle; it takes its place all the same.
      add(driver, csi?.volumeHandle ?? key);
    }
  }
  for (const { spec } of caches.attachments.byIndex('node', nodeName)) {
    const csi = caches.volumes.get(spec.source.persistentVolumeName ?? '')?.spec?.csi;
    if (csi !== undefined) {
      add(csi.driver, csi.volumeHandle);
    }
  }
  return found;
}

function provisionerOf(caches: Caches, claimKey: string): string | undefined {
  const claim = caches.claims.get(claimKey);
  const className = claim === undefined || (claim.spec?.volumeName ?? '') !== '' ? undefined : classNameOfClaim(claim);
  return className === undefined ? undefined : caches.classes.get(className)?.provisioner;
}
