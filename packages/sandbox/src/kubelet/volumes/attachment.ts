import type { VolumeAttachment } from '@holdfast/kube';
import { attachmentName } from '../../loops/attaching/names.ts';
import type { KubeletCaches } from '../caches.ts';
import type { CsiVolume } from './spec.ts';

/** The volume's attachment to the node, once both the attacher and the attach/detach loop say that it is there. */
export function attachmentOf(
  caches: KubeletCaches,
  nodeName: string,
  { uniqueName, handle, driver }: CsiVolume,
): VolumeAttachment | undefined {
  const listed = caches.nodes.get(nodeName)?.status?.volumesAttached ?? [];
  const found = caches.attachments.get(attachmentName(handle, driver, nodeName));
  const isThere = found?.status?.attached === true && found.metadata.deletionTimestamp === undefined;
  return isThere && listed.some(({ name }) => name === uniqueName) ? found : undefined;
}

/** CSIDriver objects are optional, and attaching is what a driver does unless it says otherwise. */
export function isAttachRequired(caches: KubeletCaches, volume: CsiVolume): boolean {
  return !volume.isEphemeral && caches.csiDrivers.get(volume.driver)?.spec?.attachRequired !== false;
}
