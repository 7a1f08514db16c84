/** RFC 7541, appendix A: the name `:authority` is the static table's first. */
const AUTHORITY_INDEX = 1;
const withoutIndexing = Buffer.from([AUTHORITY_INDEX]);
const localhost = Buffer.from([9, ...Buffer.from('localhost')]);

/**
 * A header block, RFC 7541 section 6, with `localhost` as every `:authority` that it spells out, or leaves empty. The decoder's table of earlier fields
 * stays in step with the sender's as long as what is replaced is not shorter than that, as no path of a registration socket is. A block
 * that cannot be followed comes back as it is: who decodes it says what is wrong.
 */
export function withLocalAuthority(block: Buffer): Buffer {
  const parts: Buffer[] = [];
  let kept = 0;
  let at = 0;
  while (at < block.length) {
    const first = block.readUInt8(at);
    if ((first & 0x80) !== 0) {
      const index = readInteger(block, at, 7);
      if (index === undefined) return block;
      // The static table's own entry: the name with nothing as its value.
      if (index.value === AUTHORITY_INDEX) {
        parts.push(block.subarray(kept, at), withoutIndexing, localhost);
        kept = index.end;
      }
      at = index.end;
      continue;
    }
    const isSizeUpdate = (first & 0xe0) === 0x20;
    const name = readInteger(block, at, (first & 0x40) !== 0 ? 6 : isSizeUpdate ? 5 : 4);
    if (name === undefined) return block;
    at = name.end;
    if (isSizeUpdate) continue;
    const start = name.value === 0 ? endOfString(block, at) : at;
    const end = start === undefined ? undefined : endOfString(block, start);
    if (start === undefined || end === undefined) return block;
    if (name.value === AUTHORITY_INDEX) {
      parts.push(block.subarray(kept, start), localhost);
      kept = end;
    }
    at = end;
  }
  return Buffer.concat([...parts, block.subarray(kept)]);
}

function endOfString(block: Buffer, at: number): number | undefined {
  const length = readInteger(block, at, 7);
  if (length === undefined) return undefined;
  const end = length.end + length.value;
  return end <= block.length ? end : undefined;
}

/** Section 5.1. Four bytes after the first hold more than a block of one frame can have. */
function readInteger(block: Buffer, at: number, prefixBits: number): { value: number; end: number } | undefined {
  if (at >= block.length) return undefined;
  const full = 2 ** prefixBits - 1;
  let value = block.readUInt8(at) & full;
  if (value < full) return { value, end: at + 1 };
  for (let more = 0; more < 4; more++) {
    const next = at + 1 + more;
    if (next >= block.length) return undefined;
    const byte = block.readUInt8(next);
    value += (byte & 0x7f) * 2 ** (7 * more);
    if ((byte & 0x80) === 0) return { value, end: next + 1 };
  }
  return undefined;
}
