import { constants } from 'node:fs';
import { type FileHandle, lchown, open, opendir } from 'node:fs/promises';
import { isErrno } from './mount-point.ts';

const groupReadWrite = 0o060;
// Set-group-id on a folder: what is made in it later has the group too.
const groupFolder = 0o2070;
const keepOwner = -1;

/**
 * Gives a tree to a group, as kubelet does for fsGroup: every file and folder, readable and writable, and the folders so that new
 * files follow. Done again it costs one look, because the root comes last: a root that has the group says that all below it has.
 *
 * Nothing is reached by path from the root: somebody may be writing to the tree, and a folder that becomes a symbolic link meanwhile
 * would lead us out of it.
 */
export async function giveToGroup(root: string, gid: number): Promise<void> {
  const folder = await open(root, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const { dev, gid: has, mode } = await folder.stat({ bigint: true });
    if (Number(has) === gid && (Number(mode) & groupFolder) === groupFolder) return;
    await giveContent(folder, { gid, dev });
    await give(folder, gid, groupFolder);
  } finally {
    await folder.close();
  }
}

interface Gift {
  readonly gid: number;
  /** What lies on another file system is not of this tree. */
  readonly dev: bigint;
}

async function giveContent(folder: FileHandle, gift: Gift): Promise<void> {
  const here = `/proc/self/fd/${folder.fd}`;
  for await (const entry of await opendir(here)) {
    const path = `${here}/${entry.name}`;
    try {
      if (entry.isDirectory()) await giveFolder(path, gift);
      else if (entry.isFile()) await giveFile(path, gift);
      else await lchown(path, keepOwner, gift.gid);
    } catch (error) {
      // Removed or replaced meanwhile, or made immutable by its owner, chattr(1): not for us to fail over, as kubelet does not.
      if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EPERM')) throw error;
    }
  }
}

async function giveFolder(path: string, gift: Gift): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    if ((await folder.stat({ bigint: true })).dev !== gift.dev) return;
    await giveContent(folder, gift);
    await give(folder, gift.gid, groupFolder);
  } finally {
    await folder.close();
  }
}

async function giveFile(path: string, gift: Gift): Promise<void> {
  // Without O_NONBLOCK a pipe that came in its place would wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if ((await file.stat({ bigint: true })).dev === gift.dev) await give(file, gift.gid, groupReadWrite);
  } finally {
    await file.close();
  }
}

/** The owner first: to change it takes set-id bits away, chown(2). */
async function give(handle: FileHandle, gid: number, bits: number): Promise<void> {
  const { mode, gid: has } = await handle.stat();
  if (has !== gid) await handle.chown(keepOwner, gid);
  await handle.chmod((mode & 0o7777) | bits);
}
