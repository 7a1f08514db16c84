import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '@holdfast/kube';
import { pluginOfProvisioner } from '@holdfast/migration';
import { annotations, noProvisioner, reasons } from '../names.ts';
import { classNameOfClaim, defaultClass, findVolume, isVolumeForClaim, mismatch } from './match.ts';

export interface ClaimView {
  readonly claim: PersistentVolumeClaim;
  readonly classes: readonly StorageClass[];
  /** Every volume that could be chosen: the caller passes them all. */
  readonly volumes: readonly PersistentVolume[];
  /** The names of unscheduled pods that use the claim. */
  readonly waitingPods: readonly string[];
}

export interface Notice {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export type ClaimStep =
  | { readonly kind: 'bind'; readonly volume: PersistentVolume }
  | { readonly kind: 'setClass'; readonly className: string }
  /** Ask the external provisioner, and wait for the volume it makes. */
  | { readonly kind: 'requestVolume'; readonly provisioner: string; readonly notice: Notice }
  | { readonly kind: 'wait'; readonly notice: Notice | undefined }
  | { readonly kind: 'lose'; readonly notice: Notice };

/** What a claim needs next. The writes of a step that are there already are skipped by whoever carries it out. */
export function decideClaim(view: ClaimView): ClaimStep {
  const { claim } = view;
  const isBindCompleted = claim.metadata.annotations?.[annotations.bindCompleted] !== undefined;
  if (isBindCompleted) {
    return decideBoundClaim(view);
  }
  if (claim.metadata.deletionTimestamp !== undefined) {
    // A volume made for a claim on its way out would only have to be deleted again.
    return { kind: 'wait', notice: undefined };
  }
  const volumeName = claim.spec?.volumeName ?? '';
  return volumeName === '' ? decideOpenClaim(view) : decideNamedClaim(view, volumeName);
}

function decideBoundClaim({ claim, volumes }: ClaimView): ClaimStep {
  const volumeName = claim.spec?.volumeName ?? '';
  if (volumeName === '') {
    return lose(reasons.claimLost, 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!');
  }
  const volume = volumes.find((candidate) => candidate.metadata.name === volumeName);
  if (volume === undefined) {
    return lose(reasons.claimLost, 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
  }
  if (volume.spec?.claimRef === undefined || isVolumeForClaim(volume, claim)) {
    return { kind: 'bind', volume };
  }
  return lose(reasons.claimMisbound, 'Two claims are bound to the same volume, this one is bound incorrectly');
}

function decideNamedClaim({ claim, volumes }: ClaimView, volumeName: string): ClaimStep {
  const volume = volumes.find((candidate) => candidate.metadata.name === volumeName);
  if (volume === undefined) {
    return { kind: 'wait', notice: undefined };
  }
  if (volume.spec?.claimRef !== undefined && !isVolumeForClaim(volume, claim)) {
    const { namespace, name } = volume.spec.claimRef;
    return warn(
      reasons.failedBinding,
      `volume "${volumeName}" already bound to a different claim (${namespace}/${name}).`,
    );
  }
  const problem = mismatch(volume, claim);
  return problem === undefined
    ? { kind: 'bind', volume }
    : warn(reasons.volumeMismatch, `Cannot bind to requested volume "${volumeName}": ${problem}`);
}

function decideOpenClaim(view: ClaimView): ClaimStep {
  const { claim, classes, volumes } = view;
  const className = classNameOfClaim(claim);
  if (className === undefined) {
    const chosen = defaultClass(classes);
    if (chosen !== undefined) {
      return { kind: 'setClass', className: chosen.metadata.name };
    }
  }
  const storageClass = classes.find((candidate) => candidate.metadata.name === className);
  const isDelayed = storageClass?.volumeBindingMode === 'WaitForFirstConsumer';
  const isNodeSelected = (claim.metadata.annotations?.[annotations.selectedNode] ?? '') !== '';
  const mustWaitForPod = isDelayed && !isNodeSelected;

  const volume = findVolume(claim, volumes, { isReservedOnly: isDelayed });
  if (volume !== undefined) {
    return { kind: 'bind', volume };
  }
  if (mustWaitForPod) {
    return { kind: 'wait', notice: noticeOfDelay(view.waitingPods) };
  }
  if (className === undefined || className === '') {
    const message = 'no persistent volumes available for this claim and no storage class is set';
    return { kind: 'wait', notice: { type: 'Normal', reason: reasons.failedBinding, message } };
  }
  if (storageClass === undefined) {
    return warn(reasons.provisioningFailed, `storageclass.storage.k8s.io "${className}" not found`);
  }
  if (storageClass.provisioner === noProvisioner) {
    return warn(
      reasons.provisioningFailed,
      `no volume suits this claim, and class "${className}" makes none: create a PersistentVolume of that class`,
    );
  }
  // A class of an in-tree plug-in is the driver's that took the plug-in's place.
  const provisioner = pluginOfProvisioner(storageClass.provisioner)?.driverName ?? storageClass.provisioner;
  return { kind: 'requestVolume', provisioner, notice: noticeOfProvisioner(provisioner) };
}

function noticeOfDelay(pods: readonly string[]): Notice {
  return pods.length === 0
    ? {
        type: 'Normal',
        reason: reasons.waitForFirstConsumer,
        message: 'waiting for first consumer to be created before binding',
      }
    : {
        type: 'Normal',
        reason: reasons.waitForPodScheduled,
        message: `waiting for pod ${pods.join(',')} to be scheduled`,
      };
}

function noticeOfProvisioner(provisioner: string): Notice {
  return {
    type: 'Normal',
    reason: reasons.externalProvisioning,
    message:
      `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the ` +
      'system administrator. If volume creation is delayed, please verify that the provisioner is running and ' +
      'correctly registered.',
  };
}

function warn(reason: string, message: string): ClaimStep {
  return { kind: 'wait', notice: { type: 'Warning', reason, message } };
}

function lose(reason: string, message: string): ClaimStep {
  return { kind: 'lose', notice: { type: 'Warning', reason, message } };
}
