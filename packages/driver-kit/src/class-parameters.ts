import { rpcError } from '@holdfast/rpc';
import type { z } from 'zod';
import type { StringMap } from './backend.ts';

// external-provisioner's --extra-create-metadata adds these to every class.
const metadataKeys = new Set([
  'csi.storage.k8s.io/pvc/name',
  'csi.storage.k8s.io/pvc/namespace',
  'csi.storage.k8s.io/pv/name',
  // external-snapshotter's, of the same flag.
  'csi.storage.k8s.io/volumesnapshot/name',
  'csi.storage.k8s.io/volumesnapshot/namespace',
  'csi.storage.k8s.io/volumesnapshotcontent/name',
  'csi.storage.k8s.io/volumegroupsnapshot/name',
  'csi.storage.k8s.io/volumegroupsnapshot/namespace',
  'csi.storage.k8s.io/volumegroupsnapshotcontent/name',
]);

/** The parameters that are the driver's own: without the metadata of the claim. */
export function ownParameters(given: StringMap): StringMap {
  return Object.fromEntries(Object.entries(given).filter(([key]) => !metadataKeys.has(key)));
}

/** @throws RpcError InvalidArgument naming the first parameter that is unknown or wrong, and what is known. */
export function parseParameters<Schema extends z.ZodObject>(
  schema: Schema,
  given: StringMap,
  place = 'StorageClass',
  noun = 'class parameter',
): z.output<Schema> {
  const own = ownParameters(given);
  const known = Object.keys(schema.shape).toSorted();
  const unknown = Object.keys(own).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    const list = known.length === 0 ? 'this driver has none' : `known are: ${known.join(', ')}`;
    throw rpcError(
      'InvalidArgument',
      `unknown ${noun} ${JSON.stringify(unknown)}: remove it from the ${place}, or correct its name; ${list}`,
    );
  }
  const parsed = schema.safeParse(own);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const key = issue?.path.join('.') ?? '';
  throw rpcError('InvalidArgument', `${noun} ${JSON.stringify(key)}: ${issue?.message ?? 'not valid'}`);
}
