import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger } from '@holdfast/core';
import { ControllerService, GroupControllerService, NodeService } from '@holdfast/csi-spec';
import { type Client, dialUnix } from '@holdfast/rpc';

/** The driver's process, which ends at the point that it was told. */
export interface Subject {
  readonly controller: Client<ControllerService>;
  readonly group: Client<GroupControllerService>;
  readonly node: Client<NodeService>;
  /** From now on points are counted, and the process ends at this one; at 0, at none. */
  arm(point: number): Promise<void>;
  /** Resolves when the process is gone, with the name of the point, or undefined where something else ended it. */
  readonly gone: Promise<string | undefined>;
  log(): string;
  /** SIGTERM. @returns the exit code */
  stop(): Promise<number | null>;
}

export interface SubjectOptions {
  /** The driver's bundle. */
  readonly file: string;
  readonly dir: string;
  readonly backend: 'disk' | 'dir';
  /** Where Node keeps what it compiled: the driver is started a thousand times. */
  readonly compileCache: string;
}

export async function startSubject({ file, dir, backend, compileCache }: SubjectOptions): Promise<Subject> {
  const address = join(dir, 'csi.sock');
  const pointFile = join(dir, 'point');
  rmSync(pointFile, { force: true });
  const args = [
    `--import=${join(import.meta.dirname, 'points.ts')}`,
    file,
    `--backend=${backend}`,
    `--endpoint=unix://${address}`,
    `--pool-dir=${join(dir, 'pool')}`,
    '--node-id=node-a',
  ];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: compileCache, HOLDFAST_POINT_FILE: pointFile },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // A group of its own, to be ended with its children.
    detached: true,
  });
  let log = '';
  const serving = Promise.withResolvers<void>();
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
    if (log.includes('"Serving"')) serving.resolve();
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const died = exited.then(() => Promise.reject(new Error(`the driver ended by itself:\n${log}`)));
  // It is looked at only while somebody waits for the driver.
  died.catch(() => undefined);
  await Promise.race([serving.promise, died]);
  const connection = await dialUnix({ address, log: silentLogger, timeoutMs: 20_000 });
  return {
    controller: connection.client(ControllerService),
    group: connection.client(GroupControllerService),
    node: connection.client(NodeService),
    async arm(point) {
      const armed = once(child, 'message');
      child.send(point);
      await Promise.race([armed, died]);
    },
    gone: exited.then(() => {
      connection.close();
      // A command that goes on would hold it open.
      child.stderr?.destroy();
      return readPoint(pointFile);
    }),
    log: () => log,
    async stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

function readPoint(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
