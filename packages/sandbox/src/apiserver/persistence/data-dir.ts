import { mkdirSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { errorMessage } from '@holdfast/core';
import type { Credentials } from './credentials.ts';
import { keepCredentials } from './credentials.ts';
import type { Journal } from './journal.ts';
import { openJournal } from './journal.ts';

export interface DataDir {
  readonly credentials: Credentials;
  readonly journal: Journal;
  close(): Promise<void>;
}

/** Everything that survives the process, in a folder that one process has at a time. */
export async function openDataDir(dir: string, nowMs: number): Promise<DataDir> {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Error(`cannot make the data folder ${dir}: ${errorMessage(error)}`, { cause: error });
  }
  const lock = await lockDir(dir);
  try {
    const credentials = keepCredentials(dir, nowMs);
    const journal = openJournal(dir);
    return {
      credentials,
      journal,
      async close() {
        journal.close();
        await release(lock);
      },
    };
  } catch (error) {
    await release(lock);
    throw error;
  }
}

/** A name in the kernel (unix(7), abstract sockets), which ends with the process whatever ends that: a lock file would stay. */
async function lockDir(dir: string): Promise<Server> {
  const { dev, ino } = statSync(dir);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const isTaken = 'code' in error && error.code === 'EADDRINUSE';
      const why = isTaken ? 'another process has it open: end that one, or name another folder' : errorMessage(error);
      reject(new Error(`cannot lock the data folder ${dir}: ${why}`));
    });
    server.listen(`\0holdfast-sandbox-data-${dev}-${ino}`, () => resolve());
  });
  server.unref();
  return server;
}

function release(lock: Server): Promise<void> {
  return new Promise((resolve) => lock.close(() => resolve()));
}
