import { open } from 'node:fs/promises';
import { runCommand, unmountAll } from '@holdfast/mount';

export interface DeadMount {
  /** From now on every look answers ENOTCONN, as after the end of a FUSE server; until now none is answered. */
  disconnect(): Promise<void>;
  /** Ends those who wait, too. */
  remove(): Promise<void>;
}

/** A FUSE mount whose server is there and never answers: whoever looks at it hangs. */
export async function mountDead(target: string): Promise<DeadMount> {
  const server = await open('/dev/fuse', 'r+');
  let isOpen = true;
  const disconnect = async (): Promise<void> => {
    if (isOpen) await server.close();
    isOpen = false;
  };
  // fuse(4): the kernel speaks to whoever holds the descriptor. It is the mounting process's third.
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
  await runCommand('mount', ['--internal-only', '--no-canonicalize', '-t', 'fuse', '-o', options, 'dead', target], {
    inheritedFd: server.fd,
  });
  return {
    disconnect,
    async remove() {
      await disconnect();
      await unmountAll(target);
    },
  };
}
