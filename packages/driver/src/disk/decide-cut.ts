import type { Volume } from '@holdfast/driver-kit';

export type Cut =
  /** Nobody writes: it is copied as it is. */
  | { readonly kind: 'still' }
  /** Its file system is held while it is copied. */
  | { readonly kind: 'freeze'; readonly mountPoint: string }
  /** It may be written to and cannot be held: only a copy made at one instant will do, as a disk is after its power failed. */
  | { readonly kind: 'live'; readonly reason: string };

/** How to copy an image so that the copy shows one instant. */
export function decideCut(
  volume: Volume,
  seen: {
    /** Where its file system is mounted, as far as this process can see. */
    readonly mountPoint: string | undefined;
    /** Where its device node is published. */
    readonly nodeAt: string | undefined;
    readonly isDeviceReadOnly: boolean;
    /** The node this process stages volumes for; none, where it is a controller alone. */
    readonly ownNodeId: string | undefined;
  },
): Cut {
  const { mountPoint, nodeAt, isDeviceReadOnly, ownNodeId } = seen;
  if (isDeviceReadOnly) return { kind: 'still' };
  if (mountPoint !== undefined) return { kind: 'freeze', mountPoint };
  if (nodeAt !== undefined) return { kind: 'live', reason: `it is published as a raw device at ${nodeAt}` };
  // The volume's lock is held, so on the own node nothing comes to be mounted meanwhile.
  const writer = volume.attachments.find((one) => !one.isReadOnly && one.nodeId !== ownNodeId);
  if (writer === undefined) return { kind: 'still' };
  return { kind: 'live', reason: `it is attached to node ${writer.nodeId}, whose mounts cannot be seen from here` };
}
