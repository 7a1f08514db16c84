import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const lowestPort = 10_000;

/**
 * A loopback port that nobody listens on, below those that the kernel gives to connections: of these, any client might have taken one
 * while a server is started again, even one that calls that very server and so finds itself.
 */
export async function freePort(): Promise<number> {
  const end = firstEphemeralPort();
  for (;;) {
    const port = lowestPort + Math.floor(Math.random() * (end - lowestPort));
    if (await isFree(port)) return port;
  }
}

function firstEphemeralPort(): number {
  const [first = ''] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t');
  // A kernel that gives away low ports too leaves no better choice.
  return Math.max(Number(first), 2 * lowestPort);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
