import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ContentFile } from './read-content.ts';

const current = '..data';

/**
 * Replaces all files of a volume at once, as kubelet's atomic writer does: each name is a link through `..data`, and that link moves from
 * one whole folder to the next. A process sees all of the old or all of the new.
 */
export async function writeContent(dir: string, files: ReadonlyMap<string, ContentFile>): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const fresh = `..${randomUUID()}`;
  for (const [path, { data, mode }] of files) {
    const file = join(dir, fresh, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, data, { mode });
    // What the umask took away.
    await chmod(file, mode);
  }
  await mkdir(join(dir, fresh), { recursive: true });
  await replaceLink(dir, current, fresh);
  const tops = new Set([...files.keys()].map((path) => path.split('/')[0] ?? path));
  for (const name of tops) {
    await replaceLink(dir, name, join(current, name));
  }
  for (const name of await readdir(dir)) {
    if (name !== current && name !== fresh && !tops.has(name)) {
      await rm(join(dir, name), { recursive: true, force: true });
    }
  }
}

async function replaceLink(dir: string, name: string, target: string): Promise<void> {
  const temporary = join(dir, `..link-${randomUUID()}`);
  await symlink(target, temporary);
  await rename(temporary, join(dir, name));
}
