import { stat } from 'node:fs/promises';
import net from 'node:net';

/** What is at a socket's path. A socket file outlives its server, so only a connect tells `live` from `dead`. */
export type SocketState =
  | { readonly kind: 'missing' }
  | { readonly kind: 'notASocket' }
  | { readonly kind: 'dead' }
  | { readonly kind: 'live' }
  | { readonly kind: 'denied'; readonly reason: string };

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function connectOnce(socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path: socketPath });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

export async function socketState(socketPath: string): Promise<SocketState> {
  try {
    const stats = await stat(socketPath);
    if (!stats.isSocket()) return { kind: 'notASocket' };
    await connectOnce(socketPath);
    return { kind: 'live' };
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return { kind: 'missing' };
    if (code === 'ECONNREFUSED') return { kind: 'dead' };
    // Its backlog is full, so somebody listens.
    if (code === 'EAGAIN') return { kind: 'live' };
    return { kind: 'denied', reason: error instanceof Error ? error.message : String(error) };
  }
}
