import { randomUUID } from 'node:crypto';
import { isNotFound, type KubeClient, namespaces } from '@holdfast/kube';
import { parseAuditLog, readAuditLog } from './audit-log.ts';
import type { AuditedRequest } from './contract.ts';
import { waitUntil } from './wait-until.ts';

export interface AuditedRequests {
  read(): Promise<readonly AuditedRequest[]>;
  forget(): Promise<void>;
}

const markPrefix = 'audit-mark-';

/** The requests in an audit log, up to the moment of asking: a request of one's own, when it is in the log, says that the earlier ones are. */
export function createAuditedRequests(deps: {
  readonly path: string;
  readonly client: KubeClient;
  readonly signal: AbortSignal;
}): AuditedRequests {
  const { path, client, signal } = deps;
  let fromByte = 0;

  async function settle(): Promise<{ text: string; endByte: number }> {
    const name = `${markPrefix}${randomUUID()}`;
    try {
      await client.get(namespaces, { name }, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return waitUntil({
      what: `a request of the rig to be in the audit log ${path}`,
      look: () => {
        const log = readAuditLog(path, fromByte);
        return log.text.includes(name) ? log : undefined;
      },
      timeoutMs: 60_000,
      signal,
    });
  }

  return {
    async read() {
      const { text } = await settle();
      return parseAuditLog(text).filter(({ name }) => !name.startsWith(markPrefix));
    },
    async forget() {
      fromByte = (await settle()).endByte;
    },
  };
}
