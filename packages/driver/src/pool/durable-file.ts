import { createHash } from 'node:crypto';
import { open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Several programs write to one pool, so a temporary file tells whose it is; process ids are not enough, each container has a 1. */
export function writerName(role: 'controller' | 'node', nodeId = ''): string {
  return nodeId === '' ? role : `${role}-${createHash('sha256').update(nodeId).digest('hex').slice(0, 12)}`;
}

/** Removes what writes of this writer that were cut short left behind. Those of others may be under way. */
export async function removeTemporaryFiles(folder: string, writer: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.endsWith(temporarySuffix(writer))) await unlink(join(folder, name));
  }
}

function temporarySuffix(writer: string): string {
  return `.${writer}.tmp`;
}

/** Old content or new content after a crash at any moment, never a part: temporary file, fsync, rename, fsync of the folder. */
export async function writeFileDurably(path: string, content: string, writer: string): Promise<void> {
  const temporary = `${path}${temporarySuffix(writer)}`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/** Absent is success. */
export async function removeFileDurably(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  await syncFolder(dirname(path));
}

/** A new name, or a removed one, is on the disk only when its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
