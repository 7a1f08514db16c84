import { createReflector, type Store } from '@holdfast/control';
import type { Clock, Logger } from '@holdfast/core';
import {
  type CSIDriver,
  csiDrivers,
  type KubeClient,
  type KubeObject,
  type Node,
  nodes,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type Resource,
  type VolumeAttachment,
  volumeAttachments,
} from '@holdfast/kube';

/** What this node's kubelet has to see; pods and the node are its own alone. */
export interface KubeletCaches {
  readonly pods: Store<Pod>;
  readonly nodes: Store<Node>;
  readonly claims: Store<PersistentVolumeClaim>;
  readonly volumes: Store<PersistentVolume>;
  readonly attachments: Store<VolumeAttachment>;
  readonly csiDrivers: Store<CSIDriver>;
}

export function createKubeletCaches(deps: {
  readonly client: KubeClient;
  readonly nodeName: string;
  readonly log: Logger;
  readonly clock?: Clock;
}): { readonly caches: KubeletCaches; readonly synced: Promise<void>; run(signal: AbortSignal): Promise<void> } {
  const reflectors: { readonly synced: Promise<void>; run(signal: AbortSignal): Promise<void> }[] = [];

  function reflect<T extends KubeObject>(resource: Resource<T>, fieldSelector?: string): Store<T> {
    const { client, log } = deps;
    const reflector = createReflector({
      client,
      resource,
      log,
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      ...(deps.clock === undefined ? {} : { clock: deps.clock }),
    });
    reflectors.push(reflector);
    return reflector.store;
  }

  const caches: KubeletCaches = {
    pods: reflect(pods, `spec.nodeName=${deps.nodeName}`),
    nodes: reflect(nodes, `metadata.name=${deps.nodeName}`),
    claims: reflect(persistentVolumeClaims),
    volumes: reflect(persistentVolumes),
    attachments: reflect(volumeAttachments),
    csiDrivers: reflect(csiDrivers),
  };

  return {
    caches,
    synced: Promise.all(reflectors.map(({ synced }) => synced)).then(() => undefined),
    run: async (signal) => {
      await Promise.all(reflectors.map((reflector) => reflector.run(signal)));
    },
  };
}
