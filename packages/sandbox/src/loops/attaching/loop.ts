import type { Outcome } from '@holdfast/control';
import {
  isAlreadyExists,
  isNotFound,
  type Node,
  nodes,
  type PersistentVolume,
  type Pod,
  type VolumeAttachment,
  volumeAttachments,
} from '@holdfast/kube';
import { createLoop, type Loop, type LoopDeps, watchKeys, watchStore } from '../loop.ts';
import { reasons } from '../names.ts';
import { claimKeysOfPod } from '../pod-claims.ts';
import { type AttachedVolume, decideNode, type NodeView, type WantedVolume } from './decide.ts';
import { createAttachMemory } from './memory.ts';
import { attachmentName } from './names.ts';
import { podsUsingVolume, viewNode, volumeOfClaim } from './view.ts';

const done: Outcome = { kind: 'done' };

/** Keeps VolumeAttachments and `node.status.volumesAttached` in step with the pods on each node. */
export function createAttachLoop(deps: LoopDeps): Loop {
  const { caches, client } = deps;
  /** The last thing said about an attachment, so that it is said once. */
  const said = new Map<string, string>();
  const memory = createAttachMemory(deps);

  async function reconcile(nodeName: string, signal: AbortSignal): Promise<Outcome> {
    const view = viewNode(caches, nodeName, memory);
    const plan = decideNode(view);
    for (const { wanted, message } of plan.blocked) {
      tell(
        attachmentName(wanted.handle, wanted.driver, nodeName),
        wanted.pods,
        'Warning',
        reasons.failedAttachVolume,
        message,
      );
    }
    tellProgress(view);
    if (view.node !== undefined) {
      await writeVolumesAttached(view.node, plan.volumesAttached, signal);
    }
    for (const attachment of plan.detach) {
      await detach(attachment, signal);
    }
    for (const wanted of plan.attach) {
      await attach(wanted, nodeName, signal);
    }
    return plan.recheckAfterMs === undefined ? done : { kind: 'again', afterMs: plan.recheckAfterMs };
  }

  /**
   * The write names the version of the node it was decided on. Kubelet adds a volume to `volumesInUse` before it looks at
   * `volumesAttached`, so either this write fails, or kubelet sees that the volume is leaving.
   */
  async function writeVolumesAttached(node: Node, volumesAttached: readonly AttachedVolume[], signal: AbortSignal) {
    const present = (node.status?.volumesAttached ?? []).map((volume) => volume.name).toSorted();
    if (JSON.stringify(present) === JSON.stringify(volumesAttached.map((volume) => volume.name))) {
      return;
    }
    const { uid, resourceVersion } = node.metadata;
    const body = { metadata: { uid, resourceVersion }, status: { volumesAttached } };
    const written = await client.patch(
      nodes,
      { name: node.metadata.name },
      { kind: 'merge', body },
      { subresource: 'status', signal },
    );
    caches.nodes.applyWrite(written);
  }

  async function attach(wanted: WantedVolume, nodeName: string, signal: AbortSignal): Promise<void> {
    const draft = {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: attachmentName(wanted.handle, wanted.driver, nodeName) },
      spec: { attacher: wanted.driver, nodeName, source: { persistentVolumeName: wanted.volume.metadata.name } },
    };
    try {
      caches.attachments.applyWrite(await client.create(volumeAttachments, draft, { signal }));
    } catch (error) {
      if (!isAlreadyExists(error)) {
        throw error;
      }
    }
  }

  async function detach({ metadata }: VolumeAttachment, signal: AbortSignal): Promise<void> {
    try {
      await client.delete(volumeAttachments, { name: metadata.name }, { preconditions: { uid: metadata.uid }, signal });
    } catch (error) {
      if (!isNotFound(error)) {
        throw error;
      }
    }
  }

  function tellProgress({ wanted, present, nodeName }: NodeView): void {
    for (const { volume, handle, driver, pods } of wanted) {
      const name = attachmentName(handle, driver, nodeName);
      const status = present.find(({ attachment }) => attachment.metadata.name === name)?.attachment.status;
      if (status?.attached === true) {
        const message = `AttachVolume.Attach succeeded for volume "${volume.metadata.name}" `;
        tell(name, pods, 'Normal', reasons.successfulAttachVolume, message);
      } else if (status?.attachError?.message !== undefined) {
        const message = `AttachVolume.Attach failed for volume "${volume.metadata.name}" : ${status.attachError.message}`;
        tell(name, pods, 'Warning', reasons.failedAttachVolume, message);
      }
    }
  }

  function tell(name: string, pods: readonly Pod[], type: 'Normal' | 'Warning', reason: string, message: string): void {
    if (said.get(name) === message) {
      return;
    }
    said.set(name, message);
    for (const pod of pods) {
      deps.recorder.event({ kind: 'Pod', apiVersion: 'v1', metadata: pod.metadata }, type, reason, message);
    }
  }

  return createLoop(deps, {
    name: 'attach-detach',
    // One: were two nodes looked at together, both could take a volume that only one may have.
    workers: 1,
    reconcile,
    watch: (enqueue) => {
      const enqueueNodeOf = (pod: Pod) => {
        if (pod.spec?.nodeName !== undefined && pod.spec.nodeName !== '') {
          enqueue(pod.spec.nodeName);
        }
      };
      const enqueueUsers = (volume: PersistentVolume) => podsUsingVolume(caches, volume).forEach(enqueueNodeOf);
      watchKeys(caches.nodes, enqueue);
      watchStore(caches.pods, (pod) => {
        enqueueNodeOf(pod);
        // A pod that ends elsewhere changes what is said about a blocked volume.
        claimKeysOfPod(pod)
          .flatMap((key) => volumeOfClaim(caches, key) ?? [])
          .forEach(enqueueUsers);
      });
      watchStore(caches.attachments, (attachment) => {
        enqueue(attachment.spec.nodeName);
        const volumeName = attachment.spec.source.persistentVolumeName;
        const volume = volumeName === undefined ? undefined : caches.volumes.get(volumeName);
        if (volume !== undefined) {
          enqueueUsers(volume);
        }
      });
      watchStore(caches.volumes, enqueueUsers);
      watchStore(caches.claims, ({ metadata }) =>
        caches.pods.byIndex('claim', `${metadata.namespace ?? ''}/${metadata.name}`).forEach(enqueueNodeOf),
      );
      watchStore(caches.csiDrivers, () => caches.nodes.list().forEach((node) => enqueue(node.metadata.name)));
      caches.attachments.subscribe((change) => {
        if (change.kind === 'deleted') {
          said.delete(change.object.metadata.name);
        }
      });
    },
  });
}
