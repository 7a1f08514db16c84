import { type VolumeCapability, VolumeCapability_AccessMode_Mode } from '@holdfast/csi-spec';
import { rpcError } from '@holdfast/rpc';
import type { Access, AccessMode, Backend } from './backend.ts';
import { show } from './check-text.ts';

type AccessRules = Pick<Backend, 'accessKinds' | 'accessModes' | 'fsTypes' | 'hasMountFlags' | 'applyMountGroup'>;

const maxMountFlagsBytes = 4096;

const modeNames = new Map<number, AccessMode>(
  Object.entries(VolumeCapability_AccessMode_Mode).flatMap(([name, number]) =>
    isAccessMode(name) ? [[number, name] as const] : [],
  ),
);

function isAccessMode(name: string): name is AccessMode {
  return name in VolumeCapability_AccessMode_Mode && name !== 'UNKNOWN';
}

export function checkAccesses(rules: AccessRules, capabilities: readonly VolumeCapability[]): Access[] {
  if (capabilities.length === 0) throw rpcError('InvalidArgument', 'volume_capabilities is required');
  return capabilities.map((capability) => checkAccess(rules, capability));
}

/** @throws RpcError InvalidArgument: incomplete, or more than the backend can do. */
export function checkAccess(rules: AccessRules, capability: VolumeCapability | undefined): Access {
  const access = readAccess(capability);
  const refusal = refuseAccess(rules, access);
  if (refusal !== undefined) throw rpcError('InvalidArgument', refusal);
  return access;
}

function readAccess(capability: VolumeCapability | undefined): Access {
  if (capability === undefined) throw rpcError('InvalidArgument', 'volume_capability is required');
  const mode = modeNames.get(capability.accessMode?.mode ?? VolumeCapability_AccessMode_Mode.UNKNOWN);
  if (mode === undefined) throw rpcError('InvalidArgument', 'access_mode of the volume capability is required');
  switch (capability.accessType?.$case) {
    case 'block':
      return { kind: 'block', mode };
    case 'mount': {
      const { fsType, mountFlags, volumeMountGroup } = capability.accessType.value;
      const group = volumeMountGroup === '' ? {} : { mountGroup: readGroup(volumeMountGroup) };
      return { kind: 'mount', mode, fsType, mountFlags, ...group };
    }
    case undefined:
      throw rpcError('InvalidArgument', 'access_type of the volume capability is required: mount or block');
    default:
      return capability.accessType satisfies never;
  }
}

// (gid_t)-1 is no group but "leave it", chown(2).
const largestGroup = 2 ** 32 - 2;

function readGroup(text: string): number {
  const gid = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (gid <= largestGroup) return gid;
  throw rpcError('InvalidArgument', `volume_mount_group ${show(text)} is no group id: 0 to ${largestGroup}`);
}

/** Why a backend cannot serve an access, or undefined when it can. */
export function refuseAccess(rules: AccessRules, access: Access): string | undefined {
  if (!rules.accessModes.includes(access.mode)) {
    return `access mode ${access.mode} is not supported; supported: ${rules.accessModes.join(', ')}`;
  }
  if (!rules.accessKinds.includes(access.kind)) {
    return `access type ${access.kind} is not supported; supported: ${rules.accessKinds.join(', ')}`;
  }
  if (access.kind === 'block') return undefined;
  if (access.fsType !== '' && rules.fsTypes !== undefined && !rules.fsTypes.includes(access.fsType)) {
    return `fs_type ${JSON.stringify(access.fsType)} is not supported; supported: ${rules.fsTypes.join(', ')}`;
  }
  if (access.mountGroup !== undefined && rules.applyMountGroup === undefined) {
    return 'volume_mount_group is for drivers with the node capability VOLUME_MOUNT_GROUP, which this one has not';
  }
  return refuseMountFlags(rules, access.mountFlags);
}

// Options that would change what is mounted or where, rather than how.
const reservedFlags =
  /^(bind|rbind|move|remount|loop|offset|sizelimit|helper|(make-)?r?(shared|slave|private|unbindable)|x-.*)(=|$)/i;

function refuseMountFlags(rules: AccessRules, flags: readonly string[]): string | undefined {
  if (flags.length === 0) return undefined;
  if (!rules.hasMountFlags) return 'mount flags are not supported by this driver: leave mountOptions out of the class';
  if (Buffer.byteLength(flags.join('')) > maxMountFlagsBytes)
    return `mount_flags have more than ${maxMountFlagsBytes} bytes`;
  for (const flag of flags.flatMap((one) => one.split(','))) {
    // oxlint-disable-next-line no-control-regex
    if (flag === '' || /[\s\u0000-\u001f]/.test(flag)) return 'a mount flag is empty or contains blanks';
    if (reservedFlags.test(flag))
      return 'a mount flag is one that the driver sets itself (bind, remount, loop, propagation, …)';
  }
  return undefined;
}

/** Whether a volume used this way can never be written: by its mode, or by a mount flag of its class. */
export function isReadOnlyAccess(access: Access): boolean {
  if (access.mode === 'SINGLE_NODE_READER_ONLY' || access.mode === 'MULTI_NODE_READER_ONLY') return true;
  return access.kind === 'mount' && access.mountFlags.some((flag) => flag.split(',').includes('ro'));
}

export function isSingleNode(mode: AccessMode): boolean {
  return mode.startsWith('SINGLE_NODE');
}
