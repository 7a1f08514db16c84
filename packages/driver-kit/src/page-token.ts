import { rpcError } from '@holdfast/rpc';

// A token names the last id of its page, so it stays good while volumes come and go. Opaque to the caller.
const prefix = 'v1.';

export function pageToken(lastId: string): string {
  return prefix + Buffer.from(lastId).toString('base64url');
}

/** @throws RpcError Aborted: the code by which a caller knows to start over, CSI spec ListVolumes. */
export function readPageToken(token: string): string {
  if (token === '') return '';
  const id = token.startsWith(prefix) ? Buffer.from(token.slice(prefix.length), 'base64url').toString() : '';
  if (id === '' || pageToken(id) !== token) {
    throw rpcError(
      'Aborted',
      `starting_token ${JSON.stringify(token.slice(0, 80))} was not made by this driver: list from the start`,
    );
  }
  return id;
}
