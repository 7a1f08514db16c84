import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { referenceProgram } from '../reference/build.ts';
import { pauseImage } from './container-runtime.ts';

const run = promisify(execFile);

export const goAttacherImage = 'localhost/holdfast/go-csi-attacher:test';

/** What the pods of the checks run. */
export const shellImage = 'localhost/holdfast/shell:test';

const applets = [
  'sh',
  'cat',
  'ls',
  'sleep',
  'sha256sum',
  'head',
  'df',
  'id',
  'stat',
  'dd',
  'touch',
  'sync',
  'mount',
  'grep',
];

/** Debian's static busybox, once for the pods themselves and once as a shell, and the Go attacher. @returns archives */
export async function makeTestImages(scratch: string, signal: AbortSignal): Promise<string[]> {
  const folder = join(scratch, 'images');
  mkdirSync(folder);
  const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'runroot'), '--storage-driver', 'vfs'];
  const buildah = async (...args: string[]): Promise<string> => {
    const { stdout } = await run('buildah', [...storage, ...args], { signal });
    return stdout.trim();
  };
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  copyFileSync('/bin/busybox', join(bin, 'busybox'));
  for (const applet of applets) symlinkSync('busybox', join(bin, applet));
  const archives: string[] = [];
  const add = async (image: string, file: string, at: string, entrypoint: readonly string[]): Promise<void> => {
    const container = await buildah('from', 'scratch');
    await buildah('copy', container, file, at);
    await buildah('config', '--entrypoint', JSON.stringify(entrypoint), '--env', 'PATH=/bin', container);
    await buildah('commit', '--quiet', container, image);
    const archive = join(folder, `${archives.length}.tar`);
    await buildah('push', '--quiet', image, `docker-archive:${archive}:${image}`);
    archives.push(archive);
  };
  for (const image of [pauseImage, shellImage]) await add(image, bin, '/bin', ['/bin/busybox', 'sleep', '2147483647']);
  await add(goAttacherImage, referenceProgram('csi-attacher'), '/csi-attacher', ['/csi-attacher']);
  return archives;
}
