// Loaded into the driver's process before the driver (`node --import`): stands at the doors through which it reaches the disk and the
// kernel, node:fs/promises and node:child_process, counts what goes through once it is told to, and ends the process at the point asked
// for. The driver itself is the bundle as it is shipped and knows nothing of this.
import childProcess from 'node:child_process';
import { constants, writeFileSync } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import { isReadingCommand } from './commands.ts';

const reportFile = process.env.HOLDFAST_POINT_FILE ?? '';

let armedAt = 0;
let passed = 0;
let hasBegun = false;

process.on('message', (message) => {
  armedAt = Number(message);
  passed = 0;
  hasBegun = false;
  process.send?.('armed');
});
process.channel?.unref();

function pass(name: string, children: 'stay' | 'go' = 'stay'): void {
  if (armedAt === 0) return;
  passed += 1;
  if (passed !== armedAt) return;
  writeFileSync(reportFile, name);
  // The driver leads a process group: its children go with it as in a container that ends, or stay as on a bare host.
  process.kill(children === 'go' ? -process.pid : process.pid, 'SIGKILL');
}

/** Between two steps there is one point: after the one is before the other. */
function begin(name: string): void {
  if (armedAt === 0 || hasBegun) return;
  hasBegun = true;
  pass(`before ${name}`);
}

function watched<A extends unknown[], R>(
  step: (...args: A) => Promise<R>,
  nameOf: (...args: A) => string | undefined,
): (...args: A) => Promise<R> {
  return async function (this: unknown, ...args: A): Promise<R> {
    const name = nameOf(...args);
    if (name !== undefined) begin(name);
    const result: R = await Reflect.apply(step, this, args);
    if (name !== undefined) pass(`after ${name}`);
    return result;
  };
}

/** Random parts of names differ from run to run. */
function shortName(path: unknown): string {
  return basename(String(path)).replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'UUID');
}

function isWriting(flags: unknown): boolean {
  if (typeof flags === 'number') return (flags & (constants.O_WRONLY | constants.O_RDWR | constants.O_CREAT)) !== 0;
  return typeof flags === 'string' && /[wa+]/.test(flags);
}

const handle = await fs.open(import.meta.filename, 'r');
await handle.close();
const handlePrototype: FileHandle = Object.getPrototypeOf(handle);
Object.assign(handlePrototype, {
  sync: watched(handlePrototype.sync, () => 'fsync'),
  truncate: watched(handlePrototype.truncate, () => 'truncate'),
  writeFile: watched(handlePrototype.writeFile, () => 'write'),
});

Object.assign(fs, {
  open: watched(fs.open, (path, flags) => (isWriting(flags) ? `open ${shortName(path)}` : undefined)),
  mkdir: watched(fs.mkdir, (path) => `mkdir ${shortName(path)}`),
  chmod: watched(fs.chmod, (path) => `chmod ${shortName(path)}`),
  rename: watched(fs.rename, (_from, to) => `rename to ${shortName(to)}`),
  unlink: watched(fs.unlink, (path) => `unlink ${shortName(path)}`),
  rmdir: watched(fs.rmdir, (path) => `rmdir ${shortName(path)}`),
  rm: watched(fs.rm, (path) => `rm ${shortName(path)}`),
  copyFile: watched(fs.copyFile, (_from, to) => `clone file to ${shortName(to)}`),
});

const { spawn } = childProcess;
Object.assign(childProcess, {
  spawn(this: unknown, ...args: Parameters<typeof spawn>): ReturnType<typeof spawn> {
    const words = Array.isArray(args[1]) ? args[1].map(String) : [];
    const start = (): ReturnType<typeof spawn> => Reflect.apply(spawn, this, args);
    if (isReadingCommand(args[0], words)) return start();
    const name = [args[0], ...words.filter((word) => !word.startsWith('/'))].join(' ');
    begin(name);
    const child = start();
    pass(`within ${name}, which goes on`);
    pass(`within ${name}, which ends too`, 'go');
    child.once('exit', () => pass(`after ${name}`));
    return child;
  },
});
syncBuiltinESMExports();
