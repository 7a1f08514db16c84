import { dirname, join, resolve } from 'node:path';

/** The path of an entry directly in a folder. An id has been checked by shape before; this proves it. */
export function pathInside(folder: string, name: string): string {
  const path = join(folder, name);
  if (name === '' || name.includes('\0') || dirname(resolve(path)) !== resolve(folder)) {
    throw new Error(`${JSON.stringify(name)} is not the name of an entry of ${folder}`);
  }
  return path;
}
