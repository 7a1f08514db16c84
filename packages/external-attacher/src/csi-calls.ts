import { ControllerService } from '@holdfast/csi-spec';
import type { Connection } from '@holdfast/rpc';
import type { PublishRequest } from './publish-request.ts';

export type Secrets = Readonly<Record<string, string>>;

export interface CallParts {
  readonly secrets: Secrets;
  /** The volume is one of an in-tree plug-in, which the metrics tell. */
  readonly isMigrated: boolean;
}

/**
 * The calls this controller makes. All reject with RpcError.
 *
 * Whether a code is final is of no consequence here: after any failed publish the volume may be attached, so the
 * finalizer stays and deleting the VolumeAttachment unpublishes (CSI: unpublish must succeed for what was never
 * published). NotFound from an unpublish is an error, as the node or volume may come back.
 */
export interface CsiCalls {
  publish(request: PublishRequest, parts: CallParts, signal: AbortSignal): Promise<Record<string, string>>;
  unpublish(target: { volumeId: string; nodeId: string }, parts: CallParts, signal: AbortSignal): Promise<void>;
  /** Ids of the nodes each volume is published to, for all volumes of the driver. */
  listPublishedNodes(signal: AbortSignal): Promise<ReadonlyMap<string, ReadonlySet<string>>>;
}

/** @param deps.timeoutMs of a publish or unpublish, and of all pages of one listing together */
export function createCsiCalls(deps: { connection: Connection; timeoutMs: number; maxEntries: number }): CsiCalls {
  const { timeoutMs, maxEntries } = deps;
  const controller = deps.connection.client(ControllerService);
  return {
    async publish(request, { secrets, isMigrated }, signal) {
      const { publishContext } = await controller.controllerPublishVolume(
        { ...request, secrets: { ...secrets } },
        { timeoutMs, signal, isMigrated },
      );
      return publishContext;
    },
    async unpublish(target, { secrets, isMigrated }, signal) {
      const request = { ...target, secrets: { ...secrets } };
      await controller.controllerUnpublishVolume(request, { timeoutMs, signal, isMigrated });
    },
    async listPublishedNodes(signal) {
      const published = new Map<string, ReadonlySet<string>>();
      const seenTokens = new Set<string>();
      const endsAtMs = performance.now() + timeoutMs;
      let startingToken = '';
      do {
        const remainingMs = Math.max(1, endsAtMs - performance.now());
        const page = await controller.listVolumes({ maxEntries, startingToken }, { timeoutMs: remainingMs, signal });
        for (const { volume, status } of page.entries) {
          if (volume !== undefined && status !== undefined) {
            published.set(volume.volumeId, new Set(status.publishedNodeIds));
          }
        }
        startingToken = page.nextToken;
        if (seenTokens.has(startingToken)) throw new Error(`ListVolumes gave the token "${startingToken}" twice`);
        seenTokens.add(startingToken);
      } while (startingToken !== '');
      return published;
    },
  };
}
