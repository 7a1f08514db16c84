import http2 from 'node:http2';
import net from 'node:net';
import { IdentityService, ProbeRequest, ProbeResponse } from '@holdfast/csi-spec';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { withLocalAuthority } from './header-block.ts';
import { localAuthorities } from './local-authority.ts';
import { connect, startServer } from './testing/sockets.ts';

const path = '/csi.v1.Identity/Probe';
const probe = { identity: { probe: async () => ProbeResponse.create({ ready: true }) } };

/** Sends Probes over one connection, as a client that says where it thinks it is connected. @returns each one's status */
async function probeAs(address: string, authorities: readonly string[]): Promise<string[]> {
  const session = http2.connect('http://localhost', { createConnection: () => net.connect(address) });
  onTestFinished(() => session.destroy());
  const statuses: string[] = [];
  for (const authority of authorities) {
    const headers = { ':method': 'POST', ':path': path, ':authority': authority, 'content-type': 'application/grpc' };
    const stream = session.request(headers);
    const { promise, resolve } = Promise.withResolvers<string>();
    stream.once('trailers', (trailers) => resolve(`grpc-status ${trailers['grpc-status']}`));
    stream.once('error', (error) => resolve(error.message));
    stream.resume().end(Buffer.alloc(5));
    statuses.push(await promise);
  }
  return statuses;
}

const kubelets = '/var/lib/kubelet/plugins_registry/disk.csi.holdfast-reg.sock';

test('a path as :authority is refused by Node, and served where any is accepted, again and again on one connection', async () => {
  const plain = await startServer(probe);
  expect(await probeAs(plain.address, [kubelets])).toEqual(['Stream closed with error code NGHTTP2_PROTOCOL_ERROR']);
  const lenient = await startServer(probe, { acceptsAnyAuthority: true });
  const asked = [kubelets, kubelets, 'localhost', `${kubelets}/x`, ''];
  expect(await probeAs(lenient.address, asked)).toEqual(asked.map(() => 'grpc-status 0'));
});

test('such a server stops like another: its socket is gone, and its clients are let go', async () => {
  const server = await startServer(probe, { acceptsAnyAuthority: true });
  const connection = await connect(server.address);
  expect(await connection.client(IdentityService).probe(ProbeRequest.create(), { timeoutMs: 20_000 })).toEqual({
    ready: true,
  });
  const silent = net.connect(server.address);
  await new Promise((resolve) => silent.once('connect', resolve));
  await server.stop(100);
  expect(await connection.lost).toContain('lost connection');
});

test.each(['end', 'destroy'] as const)('a client that goes away by %s does not keep it from stopping', async (bye) => {
  const server = await startServer(probe, { acceptsAnyAuthority: true });
  const sockets: net.Socket[] = [];
  const session = http2.connect('http://localhost', {
    createConnection: () => {
      const socket = net.connect(server.address);
      sockets.push(socket);
      return socket;
    },
  });
  session.on('error', () => undefined);
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  const [socket] = sockets;
  if (bye === 'end') socket?.end();
  else socket?.destroy(new Error('gone'));
  await server.stop(60_000);
});

const literal = (prefix: number, name: readonly number[], value: string): Buffer =>
  Buffer.from([prefix, ...name, value.length, ...Buffer.from(value)]);
const other = fc.oneof(
  fc.constantFrom(0x82, 0x83, 0x84, 0x86, 0xbe).map((byte) => Buffer.from([byte])),
  fc.constant(Buffer.from([0x3f, 0xe1, 0x1f])),
  fc.string({ unit: 'grapheme-ascii', maxLength: 100 }).map((value) => literal(0x44, [], value)),
  fc.string({ unit: 'grapheme-ascii', maxLength: 100 }).map((value) => literal(0x10, [2, 0x74, 0x65], value)),
);

test('whatever stands around it, the authority alone is replaced', () => {
  const authority = fc.string({ unit: 'grapheme-ascii', maxLength: 100 });
  const prefix = fc.constantFrom(0x41, 0x01, 0x11);
  fc.assert(
    fc.property(fc.array(other), prefix, authority, fc.array(other), (before, kind, value, after) => {
      const block = Buffer.concat([...before, literal(kind, [], value), ...after]);
      const wanted = Buffer.concat([...before, literal(kind, [], 'localhost'), ...after]);
      expect(withLocalAuthority(block)).toEqual(wanted);
    }),
  );
});

test('no bytes end it, and bytes that are no HTTP/2 pass as they are', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      withLocalAuthority(Buffer.from(bytes));
      // Frames of no known type, behind what takes the preface's place.
      const sent = Buffer.concat([Buffer.alloc(24), Buffer.from([0, 0, bytes.length, 200, 0, 0, 0, 0, 1]), bytes]);
      const transform = localAuthorities();
      for (const byte of sent) transform.write(Buffer.from([byte]));
      transform.end();
      expect(Buffer.concat(await transform.toArray())).toEqual(sent);
    }),
    { numRuns: 30 },
  );
});
