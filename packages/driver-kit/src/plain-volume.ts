import type { Volume } from './backend.ts';

/** A volume that has no more to say than this: no parameters, no attachments, usable everywhere unless `topology` says where. */
export function plainVolume(
  volume: Pick<Volume, 'id' | 'name' | 'capacityBytes'> & Partial<Pick<Volume, 'topology' | 'context'>>,
): Volume {
  return { parameters: {}, context: {}, fsType: '', topology: [], attachments: [], ...volume };
}
