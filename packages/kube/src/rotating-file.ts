import { readFile, stat } from 'node:fs/promises';

export interface RotatingFile {
  /** The content as it is now. Once it was read, a file that vanishes for a moment keeps its last content. */
  read(): Promise<Buffer>;
}

/**
 * A file that somebody else replaces while we run. It is read again when its identity or modification time changes, so
 * kubelet's atomic swap of a projected volume's `..data` link is seen at the next call.
 */
export function createRotatingFile(path: string): RotatingFile {
  let content: Buffer | undefined;
  let version = '';

  async function read(): Promise<Buffer> {
    try {
      const { mtimeNs, ino, dev, size } = await stat(path, { bigint: true });
      const seen = `${dev}:${ino}:${size}:${mtimeNs}`;
      if (content === undefined || seen !== version) {
        content = await readFile(path);
        version = seen;
      }
      return content;
    } catch (error) {
      if (content !== undefined) return content;
      throw error;
    }
  }

  return { read };
}
