import path from 'node:path';

/** `sun_path` is 108 bytes on Linux, the last one a NUL (unix(7)). */
const longestPathBytes = 107;

/**
 * The absolute path in `/path`, `unix:/path` or `unix:///path`.
 *
 * @throws Error for TCP, relative paths, and paths too long for a socket
 */
export function normalizeUnixAddress(address: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(address)?.[1];
  if (scheme !== undefined && scheme !== 'unix') {
    throw new Error(`address "${address}" is not a unix socket; use unix:///path/to/csi.sock`);
  }
  const given = address.replace(/^unix:(\/\/)?/, '');
  if (given === '') throw new Error(`address "${address}" names no socket; use unix:///path/to/csi.sock`);
  if (!given.startsWith('/')) {
    throw new Error(`address "${address}" is not an absolute path; use /path/to/csi.sock or unix:///path/to/csi.sock`);
  }
  if (/\p{Cc}/u.test(given)) throw new Error(`address ${JSON.stringify(address)} has control characters`);
  const absolute = path.posix.normalize(given);
  const bytes = Buffer.byteLength(absolute);
  if (bytes > longestPathBytes) {
    throw new Error(
      `socket path ${absolute} has ${bytes} bytes, but the system takes at most ${longestPathBytes}; use a shorter one`,
    );
  }
  return absolute;
}
