import type { IncomingMessage } from 'node:http';
import { ApiError, badRequest } from './status.ts';

// The limit of a real API server (MaxRequestBodyBytes).
const limitBytes = 3 * 1024 * 1024;

// Deeper than any object, and far from where a recursive walk runs out of stack.
const limitLevels = 500;

export async function readRequestBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes <= limitBytes) chunks.push(chunk);
  }
  if (bytes > limitBytes) {
    throw new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limitBytes}`);
  }
  return Buffer.concat(chunks);
}

/** Throws 400 for JSON whose objects and lists lie in each other too deep. YAML in blocks is left to its parser. */
export function refuseDeep(body: string): void {
  let level = 0;
  let isInString = false;
  for (let at = 0; at < body.length; at++) {
    const char = body[at];
    if (isInString) {
      if (char === '\\') at += 1;
      else if (char === '"') isInString = false;
    } else if (char === '"') isInString = true;
    else if (char === '{' || char === '[') {
      level += 1;
      if (level > limitLevels) throw badRequest(`json: exceeded max depth: the server reads ${limitLevels} levels`);
    } else if (char === '}' || char === ']') level -= 1;
  }
}
