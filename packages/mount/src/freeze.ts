import { CommandError, runCommand } from './command.ts';

/**
 * Writes everything out to the device and holds back every further write, FIFREEZE. It outlives the process that asked for it: whoever
 * freezes a file system sees to it that it is thawed, also after a crash.
 */
export async function freezeFileSystem(mountPoint: string): Promise<void> {
  await runCommand('fsfreeze', ['--freeze', mountPoint]);
}

/** Not frozen is success. */
export async function thawFileSystem(mountPoint: string): Promise<void> {
  try {
    await runCommand('fsfreeze', ['--unfreeze', mountPoint]);
  } catch (error) {
    // EINVAL is the kernel's answer for one that is not frozen (thaw_super).
    const isThawed =
      error instanceof CommandError && error.failure.kind === 'exit' && /Invalid argument/.test(error.failure.output);
    if (!isThawed) throw error;
  }
}
