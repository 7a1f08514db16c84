import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { errorMessage, type Logger } from '@holdfast/core';

/** Kubernetes shows this file's content as the container's termination message. */
export const TERMINATION_LOG = '/dev/termination-log';

/** Kubernetes mounts the file; where it is missing we are in no container, and none is made. */
export function writeTerminationLog(path: string, message: string, log: Logger): void {
  try {
    const file = openSync(path, 'r+');
    try {
      ftruncateSync(file);
      writeSync(file, message);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    log.debug(2, 'Termination log not written', { path, err: errorMessage(error) });
  }
}
