import { parseBytes } from '@holdfast/core';
import type { NodePublishVolumeRequest } from '@holdfast/csi-spec';
import { rpcError } from '@holdfast/rpc';
import * as z from 'zod';
import type { Access, Backend, StringMap } from './backend.ts';
import { sizeWithin } from './capacity.ts';
import { isReadOnlyAccess } from './check-access.ts';
import { checkMapSize } from './check-text.ts';
import { parseParameters } from './class-parameters.ts';
import { decideExisting, decidePublish } from './decide.ts';
import { mustProceed } from './volume-message.ts';

const ephemeralKey = 'csi.storage.k8s.io/ephemeral';

// What kubelet adds for CSIDriver.podInfoOnMount and tokenRequests.
const kubeletKeys = new Set([
  ephemeralKey,
  'csi.storage.k8s.io/pod.name',
  'csi.storage.k8s.io/pod.namespace',
  'csi.storage.k8s.io/pod.uid',
  'csi.storage.k8s.io/serviceAccount.name',
  'csi.storage.k8s.io/serviceAccount.tokens',
]);

const size = z
  .string()
  .refine((text) => bytesOf(text) !== undefined, 'must be a quantity above 0, such as 1Gi')
  .optional();

/** Whether kubelet publishes a volume that is part of its pod, and that nobody has created. */
export function isInline(context: StringMap): boolean {
  return context[ephemeralKey] === 'true';
}

export async function publishInline(
  backend: Backend,
  request: NodePublishVolumeRequest,
  access: Access,
): Promise<void> {
  const { volumeId: id, targetPath } = request;
  const { inline } = backend;
  if (inline === undefined) {
    throw rpcError(
      'InvalidArgument',
      'this driver has no inline volumes: give the pod a claim, or a generic ephemeral volume (volumes[].ephemeral)',
    );
  }
  if (access.kind === 'block') {
    throw rpcError('InvalidArgument', 'an inline volume is a file system: for a raw block device give the pod a claim');
  }
  const attributes = Object.fromEntries(Object.entries(request.volumeContext).filter(([key]) => !kubeletKeys.has(key)));
  checkMapSize('volume_context', attributes);
  const schema = backend.parameters.extend({ size });
  const parameters = parseParameters(schema, attributes, "pod's volumeAttributes", 'volume attribute');
  const fsType = backend.chooseFsType?.(parameters, [access]) ?? '';
  const capacityBytes = await sizeOf(backend, attributes.size, fsType, access);
  const isReadOnly = request.readonly || isReadOnlyAccess(access);

  if ((await backend.findVolume(id)) !== undefined) {
    throw rpcError('AlreadyExists', `volume ${id} exists, and is no inline volume`);
  }
  const existing = await inline.find(id);
  if (existing !== undefined) {
    const range = { requiredBytes: capacityBytes, limitBytes: capacityBytes };
    const asked = { range, parameters: attributes, fsType, topology: undefined, source: undefined };
    mustProceed(decideExisting(existing, asked));
    const single = { ...access, mode: 'SINGLE_NODE_SINGLE_WRITER' } as const;
    const publications = await inline.publications(existing, targetPath);
    if (!mustProceed(decidePublish(id, { targetPath, isReadOnly, access: single }, publications))) return;
  }
  await inline.publish({
    id,
    name: id,
    capacityBytes,
    parameters,
    givenParameters: attributes,
    mutableParameters: {},
    fsType,
    accesses: [access],
    topology: backend.topology === undefined ? [] : [backend.topology.own],
    secrets: request.secrets,
    targetPath,
    access,
    isReadOnly,
  });
}

async function sizeOf(backend: Backend, asked: string | undefined, fsType: string, access: Access): Promise<bigint> {
  const requiredBytes = asked === undefined ? 0n : (bytesOf(asked) ?? 0n);
  const rules = await backend.sizeRules?.({ fsType, kinds: [access.kind] });
  return rules === undefined ? requiredBytes : sizeWithin({ requiredBytes, limitBytes: 0n }, rules);
}

function bytesOf(text: string): bigint | undefined {
  try {
    const bytes = parseBytes(text);
    return bytes > 0n ? bytes : undefined;
  } catch {
    return undefined;
  }
}
