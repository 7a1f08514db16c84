/** Event reasons and annotations as kubelet spells them. */
export const reasons = {
  failedMount: 'FailedMount',
  failedMapVolume: 'FailedMapVolume',
  successfulMountVolume: 'SuccessfulMountVolume',
  successfulMapVolume: 'SuccessfulMapVolume',
  fileSystemResizeSuccessful: 'FileSystemResizeSuccessful',
  volumeResizeFailed: 'VolumeResizeFailed',
  started: 'Started',
  failed: 'Failed',
  killing: 'Killing',
  backOff: 'BackOff',
  imageNotPulled: 'ImageNotPulled',
} as const;

export const component = 'kubelet';
export const nodeExpansionNotRequired = 'volume.kubernetes.io/node-expansion-not-required';

/** Stands where the id of a pulled image would: containers run this machine's programs. */
export const imageNotPulled = 'holdfast-sandbox://image-not-pulled';
export const imageNotPulledMessage =
  "images are not pulled: containers run this machine's programs in a mount namespace of their own";
