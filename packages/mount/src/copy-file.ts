import { constants } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { runCommand } from './command.ts';
import { isErrno } from './mount-point.ts';

/**
 * A file that shares its blocks with another until either is written, FICLONE: at once, whatever the size, and of one instant, even
 * while the source is written to.
 * @returns false where the file system cannot, and then nothing is left at `target`
 */
export async function reflinkFile(source: string, target: string): Promise<boolean> {
  try {
    await copyFile(source, target, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    await rm(target, { force: true });
    // ioctl_ficlone(2): not this file system, not across two of them, not this kind of file.
    if (isErrno(error, 'EOPNOTSUPP', 'ENOTSUP', 'EXDEV', 'EINVAL', 'ENOTTY', 'ENOSYS')) return false;
    throw error;
  }
}

const copyTimeoutMs = 60 * 60 * 1000;

/** A byte for byte copy with holes where the source has zeros. Takes as long as it takes, up to an hour. */
export async function copySparseFile(source: string, target: string): Promise<void> {
  await runCommand('cp', ['--reflink=never', '--sparse=always', '--', source, target], { timeoutMs: copyTimeoutMs });
}

/** A folder's content with owners, modes, times, links and extended attributes, sharing blocks where the file system can. What is mounted inside stays out. */
export async function copyFolder(source: string, target: string): Promise<void> {
  await runCommand(
    'cp',
    [
      '--archive',
      '--one-file-system',
      '--reflink=auto',
      '--sparse=auto',
      '--no-target-directory',
      '--',
      source,
      target,
    ],
    {
      timeoutMs: copyTimeoutMs,
    },
  );
}

/** Everything written to the file system of a path is on its disk, syncfs(2). */
export async function syncFileSystem(path: string): Promise<void> {
  await runCommand('sync', ['--file-system', path], { timeoutMs: copyTimeoutMs });
}
