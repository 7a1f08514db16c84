import { rpcError } from '@holdfast/rpc';
import { pageToken, readPageToken } from './page-token.ts';

/**
 * One page of things that have ids, CSI spec "ListVolumes" and "ListSnapshots": zero entries are all of them.
 * @throws RpcError InvalidArgument, Aborted for a token that is none of ours
 */
export async function readPage<T extends { readonly id: string }>(
  { maxEntries, startingToken }: { readonly maxEntries: number; readonly startingToken: string },
  list: (page: { readonly after: string; readonly limit: number }) => Promise<readonly T[]>,
): Promise<{ readonly page: readonly T[]; readonly nextToken: string }> {
  if (maxEntries < 0) throw rpcError('InvalidArgument', `max_entries must not be negative: ${maxEntries}`);
  const after = readPageToken(startingToken);
  const isPaged = maxEntries > 0;
  const found = await list({ after, limit: isPaged ? maxEntries + 1 : Number.MAX_SAFE_INTEGER });
  const page = isPaged ? found.slice(0, maxEntries) : found;
  const last = page.at(-1);
  return { page, nextToken: found.length > page.length && last !== undefined ? pageToken(last.id) : '' };
}
