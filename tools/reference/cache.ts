// Finished programs outlive the checkout: a fresh clone on the same machine takes them instead of building them again. The folder
// may be deleted at any time.
import { createHash, randomUUID } from 'node:crypto';
import { accessSync, constants, copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

const switchVariable = 'HOLDFAST_REFERENCE_CACHE';

/** @returns nothing where the user has switched it off with `HOLDFAST_REFERENCE_CACHE=off` */
export function cacheFolder(env: NodeJS.ProcessEnv): string | undefined {
  if (env[switchVariable] === 'off') return undefined;
  const configured = env.XDG_CACHE_HOME ?? '';
  // The XDG base directory specification has relative paths ignored.
  const base = isAbsolute(configured) ? configured : join(homedir(), '.cache');
  return join(base, 'holdfast', 'reference');
}

export interface Kept {
  readonly cache: string | undefined;
  readonly program: string;
  /** All that the program was built from. */
  readonly stamp: string;
  /** Where the program is in this checkout. */
  readonly file: string;
}

/** Copies a kept program to its place. @returns whether there was one */
export function keptCopy({ cache, program, stamp, file }: Kept): boolean {
  if (cache === undefined) return false;
  return isCopied(keptFile(cache, program, stamp), file);
}

/** Keeps a program, unless it is kept already. A cache that cannot be written is none. */
export function keepCopy({ cache, program, stamp, file }: Kept): void {
  if (cache === undefined) return;
  const kept = keptFile(cache, program, stamp);
  if (isProgram(kept)) return;
  try {
    mkdirSync(dirname(kept), { recursive: true });
  } catch {
    return;
  }
  isCopied(file, kept);
}

function keptFile(cache: string, program: string, stamp: string): string {
  return join(cache, createHash('sha256').update(stamp).digest('hex'), program);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Copied aside and moved: two checkouts at once, or one that was stopped, leave no half a program behind. */
function isCopied(from: string, to: string): boolean {
  if (!isProgram(from)) return false;
  const aside = `${to}.${randomUUID()}`;
  try {
    copyFileSync(from, aside, constants.COPYFILE_FICLONE);
    renameSync(aside, to);
    return true;
  } catch {
    rmSync(aside, { force: true });
    return false;
  }
}
