import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { serviceAddress } from '../rig/control-plane-files.ts';
import { nodeAddress } from './kubelet.ts';

/** Pods look for the API server at its service's address; here nothing rewrites that to where it listens, so it is passed on. */
export async function serveServiceAddress(url: string): Promise<() => void> {
  for (const address of [serviceAddress, nodeAddress])
    execFileSync('ip', ['address', 'add', `${address}/32`, 'dev', 'lo']);
  const port = Number(new URL(url).port);
  const server = createServer((from) => {
    const to = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      one.on('error', () => other.destroy());
      one.pipe(other);
    }
  });
  server.listen(443, serviceAddress);
  await once(server, 'listening');
  return () => void server.close();
}
