import { createWriteStream } from 'node:fs';
import type { Logger } from '@holdfast/core';
import { errorMessage } from '@holdfast/core';
import type { RequestLogEntry } from './apiserver/interception.ts';

export interface AuditLog {
  write(entry: RequestLogEntry): void;
  close(): Promise<void>;
}

/** Appends one line of JSON for each answered request. Bodies are left out: secrets are among them. */
export function openAuditLog(path: string, log: Logger): AuditLog {
  if (path === '') {
    return { write: () => undefined, close: async () => undefined };
  }
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
  stream.on('error', (error) => log.error('Cannot write the audit log', { path, error: errorMessage(error) }));
  return {
    write: ({ verb, resource, subresource, namespace, name, userAgent, user, status }) => {
      const line = { verb, resource, subresource, namespace, name, userAgent, user, code: status };
      stream.write(`${JSON.stringify(line)}\n`);
    },
    close: () => new Promise((resolve) => stream.end(() => resolve())),
  };
}
