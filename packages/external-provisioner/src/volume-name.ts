export interface VolumeNaming {
  readonly prefix: string;
  /** -1: the uid with its dashes; n: its first n hexadecimal digits. */
  readonly uuidLength: number;
}

/**
 * The name of a claim's volume: CreateVolume's `name` and the PersistentVolume's name.
 * It follows from the claim's uid alone, so a repeated call finds the volume of the first one.
 */
export function volumeNameFor(claimUid: string, naming: VolumeNaming): string {
  if (naming.uuidLength === -1) return `${naming.prefix}-${claimUid}`;
  return `${naming.prefix}-${claimUid.replaceAll('-', '').slice(0, naming.uuidLength)}`;
}
