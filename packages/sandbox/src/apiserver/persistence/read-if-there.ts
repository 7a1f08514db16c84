import { readFileSync } from 'node:fs';
import { errorMessage } from '@holdfast/core';

/** undefined for a file that is not there. Throws, with its name, for one that cannot be read. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Error(`cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  }
}
