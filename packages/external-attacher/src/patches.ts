import {
  addFinalizerPatch,
  escapeJsonPointer,
  type JsonPatchOperation,
  type Patch,
  type PersistentVolume,
  sameObject,
  sameVersion,
  type VolumeAttachment,
} from '@holdfast/kube';

type AttachmentStatus = NonNullable<VolumeAttachment['status']>;
export type VolumeError = NonNullable<AttachmentStatus['attachError']>;

/**
 * Finalizer and annotations in one patch: all must be stored before the driver is called, as they are what detaches
 * later. Undefined when all are there.
 *
 * @param wanted undefined: the annotation goes
 */
export function holdPatch(
  attachment: VolumeAttachment,
  finalizer: string,
  wanted: Readonly<Record<string, string | undefined>>,
): Patch | undefined {
  const finalizerPatch = addFinalizerPatch(attachment, finalizer);
  const finalizerOperations = finalizerPatch?.kind === 'json' ? finalizerPatch.operations : [];
  const annotationOperations = annotationPatchOperations(attachment, wanted);
  if (finalizerOperations.length + annotationOperations.length === 0) return undefined;
  // Where a map must be made, only the version proves that nobody has made one since.
  const hasAnnotations = Object.keys(attachment.metadata.annotations ?? {}).length > 0;
  const guard = annotationOperations.length > 0 && !hasAnnotations ? sameVersion(attachment) : sameObject(attachment);
  return { kind: 'json', operations: [guard, ...finalizerOperations, ...annotationOperations] };
}

function annotationPatchOperations(
  { metadata: { annotations = {} } }: VolumeAttachment,
  wanted: Readonly<Record<string, string | undefined>>,
): JsonPatchOperation[] {
  const differing = Object.entries(wanted).filter(([key, value]) => annotations[key] !== value);
  if (differing.length === 0) return [];
  if (Object.keys(annotations).length === 0) {
    const value = Object.fromEntries(differing);
    return [{ op: 'add', path: '/metadata/annotations', value }];
  }
  return differing.map(([key, value]): JsonPatchOperation => {
    const path = `/metadata/annotations/${escapeJsonPointer(key)}`;
    return value === undefined ? { op: 'remove', path } : { op: 'add', path, value };
  });
}

/**
 * Takes our finalizer off a volume by its name. A deleted volume loses the finalizers of others at the same moment: a
 * patch by index, guarded by the list as it was, would be refused and made again.
 */
export function releaseVolumePatch({ metadata: { uid } }: PersistentVolume, finalizer: string): Patch {
  return { kind: 'strategic', body: { metadata: { uid, '$deleteFromPrimitiveList/finalizers': [finalizer] } } };
}

/** Undefined when the status says so already. */
export function attachedPatch(attachment: VolumeAttachment, publishContext: Record<string, string>): Patch | undefined {
  const { status } = attachment;
  const metadata = status?.attachmentMetadata ?? {};
  if (status?.attached && !status.attachError && isSameMap(metadata, publishContext)) return undefined;
  // A merge patch keeps keys it does not name: those the driver no longer returns are struck out.
  const gone = Object.keys(metadata).filter((key) => !(key in publishContext));
  const attachmentMetadata = { ...Object.fromEntries(gone.map((key) => [key, null])), ...publishContext };
  return statusPatch(attachment, {
    attached: true,
    attachError: null,
    ...(Object.keys(attachmentMetadata).length === 0 ? {} : { attachmentMetadata }),
  });
}

/** Undefined when the status says so already. */
export function detachedPatch(attachment: VolumeAttachment): Patch | undefined {
  const { status } = attachment;
  if (!status?.attached && !status?.attachError && !status?.detachError && !status?.attachmentMetadata)
    return undefined;
  return statusPatch(attachment, { attached: false, attachError: null, detachError: null, attachmentMetadata: null });
}

/** Undefined when the same error is there already: only its time would change. */
export function errorPatch(
  attachment: VolumeAttachment,
  field: 'attachError' | 'detachError',
  error: VolumeError,
): Patch | undefined {
  const current = attachment.status?.[field];
  if (current !== undefined && current.message === error.message && current.errorCode === error.errorCode)
    return undefined;
  return statusPatch(attachment, { [field]: { errorCode: null, ...error } });
}

/** The uid lets the server refuse the patch (409) for another object of the same name. */
function statusPatch(attachment: VolumeAttachment, status: object): Patch {
  return { kind: 'merge', body: { metadata: { uid: attachment.metadata.uid }, status } };
}

function isSameMap(a: Record<string, string>, b: Record<string, string>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
