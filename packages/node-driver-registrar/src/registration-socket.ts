import { lstat, rm } from 'node:fs/promises';
import { type Clock, errorMessage, type Logger, systemClock } from '@holdfast/core';
import { type ServiceBinding, serveUnix, type UnixServer } from '@holdfast/rpc';
import { ExitError } from '@holdfast/sidecar';

/** How long after it vanished, at most, the socket is made again. */
const CHECK_INTERVAL_MS = 1000;

export interface RegistrationSocketDeps {
  readonly path: string;
  readonly service: ServiceBinding;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly signal: AbortSignal;
}

/**
 * Serves kubelet until `signal` aborts, then removes the socket: kubelet takes that as the driver's leave, and a socket
 * left behind would delay the next registration by minutes (kubernetes-csi/node-driver-registrar#206).
 * A socket that vanishes is made again, which makes kubelet register the driver again (#57).
 * @throws ExitError when it cannot serve
 */
export async function serveRegistration(deps: RegistrationSocketDeps): Promise<void> {
  const { path, log, clock = systemClock, signal } = deps;
  let socket = await open(deps);
  while (!signal.aborted) {
    await clock.sleep(CHECK_INTERVAL_MS, signal).catch(() => {});
    if (signal.aborted || (await inodeOf(path)) !== undefined) continue;
    log.warn('Registration socket vanished, making it again', { path });
    // First, because closing the old listener unlinks the path.
    await socket.server.stop(0);
    socket = await open(deps);
  }
  // Closing a listener unlinks its path whoever owns it by now; another registrar's socket must stay.
  if ((await inodeOf(path)) === socket.inode) await socket.server.stop();
}

interface OwnSocket {
  readonly server: UnixServer;
  readonly inode: bigint | undefined;
}

async function open({ path, service, log }: RegistrationSocketDeps): Promise<OwnSocket> {
  // Only kubelet, as root, may connect. A chmod afterwards would leave a moment in which others could.
  const mask = process.umask(0o077);
  try {
    await removeOldSocket(path, log);
    const server = await serveUnix({ address: path, services: [service], log, acceptsAnyAuthority: true });
    return { server, inode: await inodeOf(path) };
  } catch (error) {
    throw new ExitError(`cannot serve kubelet's registration: ${errorMessage(error)}`, { cause: error });
  } finally {
    process.umask(mask);
  }
}

/**
 * During a rolling update with a surge the old pod still serves when the new one starts. As upstream, the new one takes
 * the path over; would it wait, it would never get ready and the old one never leave.
 */
async function removeOldSocket(path: string, log: Logger): Promise<void> {
  const stats = await statOrUndefined(path);
  if (!stats?.isSocket()) return;
  log.info('Removing an old registration socket', { path });
  await rm(path, { force: true });
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  return (await statOrUndefined(path))?.ino;
}

async function statOrUndefined(path: string) {
  return lstat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
