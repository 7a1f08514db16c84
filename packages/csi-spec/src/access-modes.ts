import { VolumeCapability_AccessMode_Mode as Mode } from './gen/csi/v1/csi.ts';

export class AccessModeError extends Error {
  override readonly name = 'AccessModeError';
}

const known = new Set(['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod']);

function assertKnown(modes: readonly string[]): void {
  if (modes.length === 0) throw new AccessModeError('no access mode is given; name at least one');
  const unknown = modes.find((mode) => !known.has(mode));
  if (unknown !== undefined) {
    throw new AccessModeError(`access mode "${unknown}" is unknown; use one of ${[...known].join(', ')}`);
  }
}

/**
 * The one CSI access mode for the access modes of a claim or volume, as the Go sidecars choose it.
 *
 * @param hasSingleNodeMultiWriter whether the driver has SINGLE_NODE_MULTI_WRITER and so tells ReadWriteOnce from
 *   ReadWriteOncePod
 * @throws AccessModeError when the modes are empty, unknown, or cannot be had together
 */
export function accessModeFor(modes: readonly string[], hasSingleNodeMultiWriter: boolean): Mode {
  assertKnown(modes);
  const wanted = new Set(modes);
  if (wanted.has('ReadWriteOncePod')) {
    if (wanted.size > 1) {
      throw new AccessModeError(`ReadWriteOncePod cannot be combined with other access modes: ${modes.join(', ')}`);
    }
    return hasSingleNodeMultiWriter ? Mode.SINGLE_NODE_SINGLE_WRITER : Mode.SINGLE_NODE_WRITER;
  }
  if (wanted.has('ReadWriteMany')) return Mode.MULTI_NODE_MULTI_WRITER;
  if (wanted.has('ReadOnlyMany') && wanted.has('ReadWriteOnce')) {
    throw new AccessModeError('ReadOnlyMany and ReadWriteOnce have no CSI access mode in common; choose one');
  }
  if (wanted.has('ReadOnlyMany')) return Mode.MULTI_NODE_READER_ONLY;
  return hasSingleNodeMultiWriter ? Mode.SINGLE_NODE_MULTI_WRITER : Mode.SINGLE_NODE_WRITER;
}
