const NEWLINE = 0x0a;
/** An object of etcd's largest size (1.5 MiB) is far below; more means that no newline will come. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

export class JsonLineError extends Error {
  override readonly name = 'JsonLineError';
}

/**
 * The JSON values of a stream with one on each line; together those whose lines end in the same chunk, because waiting costs more than
 * going on to the next. Lines are cut as bytes, where a newline is never part of another character, so a chunk may end anywhere. A
 * value is parsed when it is asked for.
 * @throws JsonLineError for a line that is not JSON, and for a stream that ends inside one
 */
export async function* jsonLines(stream: AsyncIterable<unknown>): AsyncGenerator<Iterable<unknown>, void, undefined> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) continue;
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line =
        pending.length === 0 ? chunk.subarray(start, end) : Buffer.concat([...pending, chunk.subarray(start, end)]);
      pending = [];
      pendingBytes = 0;
      start = end + 1;
      if (line.length > 0) lines.push(line);
    }
    if (lines.length > 0) yield values(lines);
    if (start < chunk.length) {
      pending.push(chunk.subarray(start));
      pendingBytes += chunk.length - start;
    }
    if (pendingBytes > MAX_LINE_BYTES) throw new JsonLineError(`a line is longer than ${MAX_LINE_BYTES} bytes`);
  }
  if (pendingBytes > 0) throw new JsonLineError('the stream ended in the middle of a line');
}

function* values(lines: readonly Buffer[]): Generator<unknown, void, undefined> {
  for (const line of lines) yield parse(line);
}

function parse(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    // V8's message repeats the text, which may be a secret.
    throw new JsonLineError(`a line of ${line.length} bytes is not JSON`);
  }
}
