import type { Socket } from 'node:net';
import { Duplex, Transform } from 'node:stream';
import { withLocalAuthority } from './header-block.ts';

// RFC 9113: the client's preface, the frame header, the types and flags that matter here.
const PREFACE_BYTES = 24;
const HEADER_BYTES = 9;
const HEADERS = 1;
const END_HEADERS = 0x4;
const PADDED = 0x8;
const PRIORITY = 0x20;
/** What a peer may send unless it is told otherwise, and it is not. */
const MAX_FRAME_BYTES = 16_384;

/**
 * A client's connection whose requests all name `localhost` as their `:authority`. Node's HTTP/2 refuses a path there, which is what
 * gRPC for Go before v1.57 sends over a unix socket, and with it kubelet up to 1.28 (grpc/grpc-go#6428).
 */
export function withLocalAuthorities(socket: Socket): Duplex {
  const received = socket.pipe(localAuthorities());
  const connection = new Duplex({
    read: () => void received.resume(),
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, done),
    final: (done) => void socket.end(done),
    destroy(error, done) {
      // Answers on their way still arrive.
      socket.destroySoon();
      done(error);
    },
  });
  received.on('data', (chunk) => {
    if (!connection.push(chunk)) received.pause();
  });
  received.on('end', () => connection.push(null));
  // However it ends: HTTP/2 over a stream that is not a socket's own learns of an end, and of nothing else.
  socket.on('error', () => received.end());
  socket.on('close', () => {
    received.end();
    setImmediate(() => connection.destroy());
  });
  return connection;
}

/** What a client sends over one connection, frame by frame. */
export function localAuthorities(): Transform {
  let pending: Buffer = Buffer.alloc(0);
  let hasPreface = false;
  // Whatever comes after a frame that is too large is the receiver's to refuse.
  let isGivenUp = false;

  function take(bytes: number): Buffer {
    const taken = pending.subarray(0, bytes);
    pending = pending.subarray(bytes);
    return taken;
  }

  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      if (!hasPreface && pending.length >= PREFACE_BYTES) {
        hasPreface = true;
        this.push(take(PREFACE_BYTES));
      }
      if (!hasPreface) return done();
      while (!isGivenUp && pending.length >= HEADER_BYTES) {
        const length = pending.readUIntBE(0, 3);
        isGivenUp = length > MAX_FRAME_BYTES;
        if (isGivenUp || pending.length < HEADER_BYTES + length) break;
        this.push(rewrite(take(HEADER_BYTES + length)));
      }
      if (isGivenUp) this.push(take(pending.length));
      done();
    },
    flush(done) {
      this.push(pending);
      done();
    },
  });
}

/** Headers that go on in a second frame are left as they are: those of a registration are a few dozen bytes. */
function rewrite(frame: Buffer): Buffer {
  const flags = frame.readUInt8(4);
  if (frame.readUInt8(3) !== HEADERS || (flags & END_HEADERS) === 0) return frame;
  const isPadded = (flags & PADDED) !== 0;
  const start = HEADER_BYTES + (isPadded ? 1 : 0) + ((flags & PRIORITY) === 0 ? 0 : 5);
  const end = frame.length - (isPadded && frame.length > HEADER_BYTES ? frame.readUInt8(HEADER_BYTES) : 0);
  if (start > end) return frame;
  const block = withLocalAuthority(frame.subarray(start, end));
  const rewritten = Buffer.concat([frame.subarray(0, start), block, frame.subarray(end)]);
  rewritten.writeUIntBE(rewritten.length - HEADER_BYTES, 0, 3);
  return rewritten;
}
