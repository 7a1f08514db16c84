import type { DeviceContent } from '@holdfast/mount';
import type { StageRecord } from './stage-record.ts';

export type FormatStep =
  | { readonly kind: 'format' }
  | { readonly kind: 'formatAgain' }
  | { readonly kind: 'use'; readonly fsType: string }
  | { readonly kind: 'refuse'; readonly reason: string };

/** What to do with a device before it is mounted as `fsType`. Where record and device disagree, nothing is formatted. */
export function decideFormat(
  record: StageRecord | undefined,
  content: DeviceContent,
  fsType: string,
  isReadOnly: boolean,
): FormatStep {
  const state = record?.fileSystem;
  if (state?.kind === 'formatting') {
    return isReadOnly
      ? refuse('its first format was interrupted, and it is attached read-only')
      : { kind: 'formatAgain' };
  }
  switch (content.kind) {
    case 'blank':
      if (state !== undefined)
        return refuse(`it was formatted as ${state.fsType}, yet it is blank now: its content is lost or hidden`);
      return isReadOnly ? refuse('it was never formatted, and it is attached read-only') : { kind: 'format' };
    case 'fileSystem':
      if (content.fsType === fsType) return { kind: 'use', fsType };
      return refuse(`it holds ${content.fsType}, and ${fsType} was asked for`);
    case 'partitions':
      return refuse(`it holds a partition table of type ${content.tableType}`);
    case 'unknown':
      return refuse(content.reason);
    default:
      return content satisfies never;
  }
}

function refuse(reason: string): FormatStep {
  return { kind: 'refuse', reason };
}
