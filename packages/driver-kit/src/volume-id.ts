import { createHash } from 'node:crypto';

// Leaves room for the suffixes a backend adds to file names, whose limit is 255 bytes.
const safeName = /^[A-Za-z0-9][A-Za-z0-9-]{0,99}$/;
// A name that looks like a hash id is hashed as well, so that no name can be made to meet another's id.
const hashId = /^h-[0-9a-f]{40}$/;

/**
 * The id of the volume with a name: the name itself where it can be a file name (what Kubernetes sends, `pvc-<uid>`, can), else a
 * hash of it. The same name gives the same id, so a volume left by a crash is found again by name.
 */
export function volumeIdFor(name: string): string {
  if (safeName.test(name) && !hashId.test(name)) return name;
  return `h-${createHash('sha256').update(name).digest('hex').slice(0, 40)}`;
}
