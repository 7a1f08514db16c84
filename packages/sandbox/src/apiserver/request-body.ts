import type { IncomingMessage } from 'node:http';
import { ApiError } from './status.ts';

// The limit of a real API server (MaxRequestBodyBytes).
const limitBytes = 3 * 1024 * 1024;

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
