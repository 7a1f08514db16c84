import { isExpired, type KubeClient, type KubeObject, type ListOptions, type Resource } from '@holdfast/kube';

// client-go's page: large enough to be few requests, small enough for the API server to serve from etcd in one go.
const PAGE_SIZE = 500;

export interface CompleteList<T> {
  items: T[];
  resourceVersion: string;
}

/**
 * Lists a whole collection in pages. When a page's continue token has expired (the list took longer than etcd's
 * compaction interval) the list is taken anew in one piece, as client-go's pager does, because paging would only expire again.
 * @param keep what to keep of each object, page by page
 */
export async function listPages<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  options: ListOptions,
  keep: (object: T) => T,
): Promise<CompleteList<T>> {
  const items: T[] = [];
  let continueToken: string | undefined;
  for (;;) {
    try {
      const page = await client.list(resource, {
        ...options,
        limit: PAGE_SIZE,
        ...(continueToken === undefined ? {} : { continueToken }),
      });
      for (const item of page.items) items.push(keep(item));
      if (!page.continueToken) return { items, resourceVersion: page.resourceVersion };
      continueToken = page.continueToken;
    } catch (error) {
      if (continueToken === undefined || !isExpired(error)) throw error;
      const { items: all, resourceVersion } = await client.list(resource, options);
      return { items: all.map(keep), resourceVersion };
    }
  }
}
