import { type FSWatcher, watch } from 'node:fs';
import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { listDir } from '../files.ts';

/** A registration socket; a new inode at an old path is another plug-in process. */
export interface PluginSocket {
  readonly path: string;
  readonly identity: string;
}

export interface SocketChanges {
  readonly appeared: readonly PluginSocket[];
  readonly removed: readonly string[];
}

/** A socket that was replaced only appears: its driver registers anew without being forgotten in between. */
export function compareSockets(known: ReadonlyMap<string, string>, present: readonly PluginSocket[]): SocketChanges {
  const paths = new Set(present.map(({ path }) => path));
  return {
    appeared: present.filter(({ path, identity }) => known.get(path) !== identity),
    removed: [...known.keys()].filter((path) => !paths.has(path)),
  };
}

const deepest = 4;

/** Every socket below the folder; names that begin with a dot are ignored, as kubelet does. */
export async function findSockets(dir: string, depth = 0): Promise<readonly PluginSocket[]> {
  const found: PluginSocket[] = [];
  for (const name of await listDir(dir)) {
    if (name.startsWith('.')) {
      continue;
    }
    const path = join(dir, name);
    const entry = await lstat(path, { bigint: true }).catch(() => undefined);
    if (entry?.isSocket() === true) {
      found.push({ path, identity: `${entry.ino}:${entry.ctimeNs}` });
    } else if (entry?.isDirectory() === true && depth < deepest) {
      found.push(...(await findSockets(path, depth + 1)));
    }
  }
  return found;
}

const walkIntervalMs = 1_000;

/**
 * Calls `onChange` with what appeared and vanished, first with everything that is there. File events make it quick, a walk
 * every second makes it certain (events are lost when the queue overflows, and sub-folders are not watched).
 */
export async function watchSockets(
  dir: string,
  onChange: (changes: SocketChanges) => void,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o750 });
  const known = new Map<string, string>();
  let wake = Promise.withResolvers<void>();
  const watcher = watchFolder(dir, () => wake.resolve());
  const timer = setInterval(() => wake.resolve(), walkIntervalMs);
  const stop = () => wake.resolve();
  signal.addEventListener('abort', stop);
  try {
    while (!signal.aborted) {
      wake = Promise.withResolvers<void>();
      const present = await findSockets(dir);
      const changes = compareSockets(known, present);
      known.clear();
      for (const { path, identity } of present) {
        known.set(path, identity);
      }
      if (changes.appeared.length + changes.removed.length > 0) {
        onChange(changes);
      }
      if (!signal.aborted) {
        await wake.promise;
      }
    }
  } finally {
    signal.removeEventListener('abort', stop);
    clearInterval(timer);
    watcher?.close();
  }
}

/** None where the kernel has no more watches to give (fs.inotify.max_user_instances): the walk alone will do. */
function watchFolder(dir: string, onEvent: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dir, onEvent);
    watcher.on('error', onEvent);
    return watcher;
  } catch {
    return undefined;
  }
}
