import { readlink, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CommandError, runCommand } from './command.ts';
import { type MountEntry, readMountInfo } from './mount-info.ts';
import { isServed } from './server-mounts.ts';

/** What is asked takes milliseconds; a server that needs longer than this is one that does not answer. */
const patienceMs = 5_000;
// Linux follows no more, path_resolution(7).
const maxLinks = 40;

type ServedMount = Pick<MountEntry, 'mountPoint' | 'source' | 'fsType'>;

/** A folder that lies on a file system whose server does not answer. */
export class SilentMountError extends Error {
  constructor(path: string, { mountPoint, source, fsType }: ServedMount) {
    super(
      `${path} lies on ${source} (${fsType}), mounted at ${mountPoint}, which does not answer: bring its server back, or unmount it (umount --force --lazy ${mountPoint})`,
    );
    this.name = 'SilentMountError';
  }
}

/**
 * realpath(3) that does not wait for ever, nor keeps one of libuv's threads: what lies on a mount that a server answers for is looked
 * at in a child.
 * @throws {SilentMountError}
 */
export async function resolveFolder(folder: string): Promise<string> {
  const served = new Map((await readMountInfo()).filter(isServed).map((entry) => [entry.mountPoint, entry]));
  if (served.size === 0) return realpath(folder);
  return resolveBeside(folder, served);
}

/** Name by name, as far as this process may look. */
export async function resolveBeside(folder: string, served: ReadonlyMap<string, ServedMount>): Promise<string> {
  let done = '/';
  let names = namesOf(folder);
  for (let links = 0; ; ) {
    const [name, ...rest] = names;
    if (name === undefined) return realpath(done);
    const path = resolve(done, name);
    const entry = served.get(path);
    if (entry !== undefined) return resolveInside(join(path, ...rest), entry);
    const target = await linkAt(path);
    names = rest;
    if (target === undefined) done = path;
    else {
      links += 1;
      if (links > maxLinks) return realpath(folder);
      names = [...namesOf(target), ...rest];
      if (target.startsWith('/')) done = '/';
    }
  }
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

/** @returns where a link leads; undefined where there is none, which includes that nothing is there */
async function linkAt(path: string): Promise<string | undefined> {
  return readlink(path).catch(() => undefined);
}

async function resolveInside(path: string, entry: ServedMount): Promise<string> {
  const options = { timeoutMs: patienceMs };
  try {
    // Names may be known to the kernel while their server is gone; the figures of a file system are asked for each time.
    await runCommand('stat', ['--file-system', '--format', '%T', '--', path], options);
    const { stdout } = await runCommand('realpath', ['--canonicalize-existing', '--zero', '--', path], options);
    return stdout.replace(/\0$/, '');
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (error.failure.kind === 'timeout') throw new SilentMountError(path, entry);
    if (error.failure.kind === 'exit') throw errnoOf(error);
    throw error;
  }
}

/** As fs.realpath says it: callers tell "not there" from the rest. */
function errnoOf(error: CommandError): Error {
  const isAbsent = /No such file or directory|Not a directory/.test(error.message);
  return isAbsent ? Object.assign(new Error(error.message, { cause: error }), { code: 'ENOENT' }) : error;
}
