import type { Logger } from '@holdfast/core';
import type { InlineVolumes } from '@holdfast/driver-kit';
import { withMountCodes } from '../mount-errors.ts';
import type { InlineRecord } from '../pool/inline-records.ts';
import { createInlineVolumes } from '../pool/inline-volumes.ts';
import type { RecordStore } from '../pool/record-store.ts';
import type { DirFolders } from './dir-folders.ts';
import { createDirPublisher } from './dir-publisher.ts';
import { limitOf, requireEnforceable } from './enforced-size.ts';

/** A folder that goes with its pod. */
export function createDirInline(deps: {
  pool: string;
  store: RecordStore<InlineRecord>;
  folders: DirFolders;
  nodeId: string;
  log: Logger;
}): InlineVolumes<unknown> & { recover(): Promise<void> } {
  const { pool, store, folders, nodeId, log } = deps;
  const publisher = createDirPublisher(folders);

  const volumes = createInlineVolumes({
    store,
    nodeId,
    log,
    content: {
      reserve: (_sizeBytes, write) => write(),
      make: (volume) => folders.make(volume.id, limitOf(volume)),
      async show(volume, { targetPath, access, isReadOnly, secrets }) {
        if ((await publisher.publications(volume.id, targetPath)).some((one) => one.targetPath === targetPath)) return;
        await publisher.publish({
          volume,
          targetPath,
          stagingPath: '',
          access,
          isReadOnly,
          publishContext: {},
          context: {},
          secrets,
        });
      },
      publications: ({ id }, targetPath) => publisher.publications(id, targetPath),
      hide: publisher.unpublish,
      discard: folders.remove,
    },
  });
  return {
    ...volumes,
    stats: publisher.stats,
    publish: async (request) => {
      await requireEnforceable(pool, request.givenParameters);
      await withMountCodes(() => volumes.publish(request));
    },
    unpublish: (id, targetPath) => withMountCodes(() => volumes.unpublish(id, targetPath)),
  };
}
