import { mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';

const temporaryOf = (path: string): string => `${path}.tmp`;

/** Writes a record so that a reader, or this program after a crash, sees all of it or nothing. */
export async function writeRecord(path: string, record: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  const temporary = temporaryOf(path);
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(record)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** The parsed content, or undefined when there is no such file or it holds no JSON. */
export async function readRecord(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Reads a record at the start, when nothing is being written, and removes what a write that was cut off left beside it:
 * it would keep its folder for ever.
 */
export async function recoverRecord(path: string): Promise<unknown> {
  await rm(temporaryOf(path), { force: true });
  return await readRecord(path);
}

/** With what a write that failed may have left of it. */
export async function removeRecord(path: string): Promise<void> {
  await rm(temporaryOf(path), { force: true });
  await rm(path, { force: true });
}

export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** Removes a folder only when it is empty: what lies in a mount point may be somebody's data. */
export async function removeEmptyDir(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (!isMissing(error)) {
      throw error;
    }
  }
}

/** Removes a folder that several share, if it is empty by now. */
export async function removeDirUnlessUsed(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (!isMissing(error) && !(error instanceof Error && 'code' in error && error.code === 'ENOTEMPTY')) {
      throw error;
    }
  }
}

/** The names in a folder; none when it does not exist. */
export async function listDir(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isMissing(error)) {
      return [];
    }
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
