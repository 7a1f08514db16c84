import { readFile } from 'node:fs/promises';

// include/uapi/linux/capability.h
const capSysResource = 24n;

/** Whether this process may grow an ext file system while it is mounted: the kernel asks for CAP_SYS_RESOURCE. */
export async function canGrowMountedExt(): Promise<boolean> {
  return hasCapability(await readFile('/proc/self/status', 'utf8'), capSysResource);
}

/** Reads a bit of `CapEff`, proc(5). */
export function hasCapability(status: string, bit: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> bit) & 1n) === 1n;
}
