import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMountInfo } from '@holdfast/mount';

/** Mount points at or below a folder, deepest first. */
export function mountsBelow(folder: string): string[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'))
    .map((mount) => mount.mountPoint)
    .filter((path) => path === folder || path.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length);
}

/** Loop devices whose backing file is, or was, below a folder. Loop devices belong to no namespace. */
export function loopDevicesBelow(folder: string): string[] {
  return readdirSync('/sys/block')
    .filter((name) => name.startsWith('loop'))
    .filter((name) => backingFileOf(name)?.startsWith(`${folder}/`) === true)
    .map((name) => `/dev/${name}`);
}

/** Undefined without one. Whoever lets go of the device while it is read takes the file away: it has none then either. */
function backingFileOf(device: string): string | undefined {
  try {
    return readFileSync(join('/sys/block', device, 'loop', 'backing_file'), 'utf8');
  } catch {
    return undefined;
  }
}

/** Files a driver keeps in its pool for its volumes: records, images, directories. Its lock is the pool's own. */
export function poolEntries(pool: string): string[] {
  if (!existsSync(pool)) return [];
  return readdirSync(pool, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name !== 'controller.lock')
    .filter((entry) => !entry.isDirectory() || entry.name.startsWith('pvc-'))
    .map((entry) => join(entry.parentPath, entry.name));
}
