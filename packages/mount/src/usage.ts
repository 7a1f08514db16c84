import { runCommand } from './command.ts';

export interface FileSystemUsage {
  readonly totalBytes: bigint;
  readonly usedBytes: bigint;
  /** For an unprivileged writer. */
  readonly availableBytes: bigint;
  /** Absent where the file system does not count inodes (btrfs, most FUSE file systems). */
  readonly inodes?: { readonly total: bigint; readonly used: bigint; readonly available: bigint };
}

const inFlight = new Map<string, Promise<FileSystemUsage>>();

/**
 * Usage of the file system at a path, asked in a child process: statfs on a dead NFS or FUSE mount never returns, and four
 * such calls in this process would take all of libuv's threads and with them every other file operation. Callers that ask
 * for one path at the same time share one child, so that a dead mount collects no heap of them.
 */
export function fileSystemUsage(path: string, options: { timeoutMs?: number } = {}): Promise<FileSystemUsage> {
  const running = inFlight.get(path);
  if (running !== undefined) return running;
  const answer = askUsage(path, options.timeoutMs ?? 10_000).finally(() => inFlight.delete(path));
  inFlight.set(path, answer);
  return answer;
}

async function askUsage(path: string, timeoutMs: number): Promise<FileSystemUsage> {
  const args = ['--file-system', '--format', '%S %b %f %a %c %d', '--', path];
  return parseUsage((await runCommand('stat', args, { timeoutMs })).stdout);
}

/** `%S` is the fundamental block size, the unit that POSIX counts blocks in; `%s` (bsize) can be 256 times as large on FUSE. */
export function parseUsage(text: string): FileSystemUsage {
  const numbers = text.trim().split(' ');
  if (numbers.length !== 6 || !numbers.every((number) => /^\d+$/.test(number))) {
    throw new Error(`unexpected answer of stat --file-system: ${JSON.stringify(text)}`);
  }
  const [blockBytes = 0n, blocks = 0n, free = 0n, available = 0n, files = 0n, filesFree = 0n] = numbers.map(BigInt);
  return {
    totalBytes: blocks * blockBytes,
    usedBytes: (blocks - free) * blockBytes,
    availableBytes: available * blockBytes,
    ...(files === 0n ? {} : { inodes: { total: files, used: files - filesFree, available: filesFree } }),
  };
}
