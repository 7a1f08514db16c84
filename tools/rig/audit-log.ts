import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import * as z from 'zod';
import type { AuditedRequest } from './contract.ts';

/** What the sandbox's API server writes: the contract's own fields, without those that the request has not. */
const ownLine = z.object({
  verb: z.string(),
  resource: z.string().default(''),
  subresource: z.string().default(''),
  namespace: z.string().default(''),
  name: z.string().default(''),
  userAgent: z.string().default(''),
  user: z.string().default(''),
  code: z.number(),
});

/** audit.k8s.io/v1 Event at the level Metadata. */
const kubernetesLine = z.object({
  kind: z.literal('Event'),
  verb: z.string(),
  userAgent: z.string().default(''),
  user: z.object({ username: z.string().default('') }).default({ username: '' }),
  objectRef: z
    .object({
      resource: z.string().default(''),
      subresource: z.string().default(''),
      namespace: z.string().default(''),
      name: z.string().default(''),
    })
    .default({ resource: '', subresource: '', namespace: '', name: '' }),
  responseStatus: z.object({ code: z.number().default(0) }).default({ code: 0 }),
});

/**
 * Reads an audit log, of kube-apiserver or of the sandbox. A line that is cut off at the end is left out: it is being written.
 * @throws Error that names the line for anything else that is no audit line
 */
export function parseAuditLog(text: string): AuditedRequest[] {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.flatMap((line, index) => (line === '' ? [] : [parseLine(line, index + 1)]));
}

function parseLine(line: string, number: number): AuditedRequest {
  const value: unknown = parseJson(line, number);
  const own = ownLine.safeParse(value);
  if (own.success) return own.data;
  const event = kubernetesLine.safeParse(value);
  if (!event.success) throw new Error(`line ${number} of the audit log is no audit event: ${line.slice(0, 200)}`);
  const { verb, userAgent, user, objectRef, responseStatus } = event.data;
  const { resource, subresource, namespace, name } = objectRef;
  return { verb, resource, subresource, namespace, name, userAgent, user: user.username, code: responseStatus.code };
}

function parseJson(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`line ${number} of the audit log is not JSON: ${line.slice(0, 200)}`);
  }
}

/** One entry for each request: a watch's when it begins, any other's when it is answered. */
export const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  rules: [
    { level: 'Metadata', verbs: ['watch'], omitStages: ['RequestReceived', 'ResponseComplete'] },
    { level: 'Metadata', omitStages: ['RequestReceived', 'ResponseStarted'] },
  ],
};

/** The whole lines of the log from a byte on. A file that is not there yet is empty. */
export function readAuditLog(path: string, fromByte: number): { text: string; endByte: number } {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return { text: '', endByte: fromByte };
  }
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - fromByte));
    const length = readSync(file, bytes, 0, bytes.length, fromByte);
    const end = bytes.lastIndexOf('\n', length - 1) + 1;
    return { text: bytes.toString('utf8', 0, end), endByte: fromByte + end };
  } finally {
    closeSync(file);
  }
}
