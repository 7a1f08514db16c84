import { randomUUID } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createKeyedLock, errorMessage, type Logger } from '@holdfast/core';
import type { Volume } from '@holdfast/driver-kit';
import { copySparseFile, freezeFileSystem, reflinkFile, thawFileSystem } from '@holdfast/mount';
import { rpcError } from '@holdfast/rpc';
import { syncFolder } from '../pool/durable-file.ts';
import { withSpaceCode } from '../pool/space-code.ts';
import { type Cut, decideCut } from './decide-cut.ts';
import { isFileSystemOn } from './device-mounts.ts';
import type { DiskDevices } from './disk-device.ts';

export interface CopyPart {
  readonly from: string;
  readonly to: string;
  /** Whose image `from` is; not given for a snapshot's, which nobody writes to. */
  readonly volume?: Volume;
}

export interface DiskCopies {
  /** Copies images, all as they were at one instant. Says how: by sharing blocks, or block by block. On failure no copy is left. */
  cut(parts: readonly CopyPart[]): Promise<'shared' | 'copied'>;
  /** After a crash: lets a volume be written again. Not frozen is success. */
  thaw(volumeId: string): Promise<void>;
  /** Removes from a folder of images what copies that were cut short left behind. */
  removeUnfinished(folder: string): Promise<void>;
}

/** Ends the name of a copy that is not whole yet. */
const unfinished = '.part';

export function createDiskCopies(deps: {
  devices: DiskDevices;
  ownNodeId: string | undefined;
  log: Logger;
}): DiskCopies {
  const { devices, ownNodeId, log } = deps;
  const freezing = createKeyedLock();

  async function cutOf(volume: Volume): Promise<Cut> {
    const loop = await devices.find(volume.id);
    const mounts = loop === undefined ? [] : await devices.mountsOf(loop.device);
    const held = mounts.find((entry) => loop !== undefined && isFileSystemOn(entry, loop.device));
    return decideCut(volume, {
      mountPoint: held?.mountPoint,
      nodeAt: mounts[0]?.mountPoint,
      isDeviceReadOnly: loop?.isReadOnly ?? false,
      ownNodeId,
    });
  }

  /** What stays frozen blocks every writer, so nothing is left untried. */
  async function thawAt(mountPoint: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await thawFileSystem(mountPoint);
        return;
      } catch (error) {
        if (attempt < 3) continue;
        log.error('A file system could not be thawed: run fsfreeze --unfreeze on it', {
          mountPoint,
          reason: errorMessage(error),
        });
        throw error;
      }
    }
  }

  async function holding<T>(mountPoints: readonly string[], work: () => Promise<T>): Promise<T> {
    const [first, ...rest] = mountPoints;
    if (first === undefined) return work();
    try {
      await freezeFileSystem(first);
      return await holding(rest, work);
    } finally {
      // Also when freezing failed: a call that ran out of time may still have taken effect.
      await thawAt(first);
    }
  }

  async function cut(parts: readonly CopyPart[]): Promise<'shared' | 'copied'> {
    const pending = parts.map(({ from, to, volume }) => ({
      from,
      to,
      volume,
      // Under another name until it is whole: a copy that outlives a killed driver must not write into a later one.
      partial: join(dirname(to), `${basename(to)}.${randomUUID()}${unfinished}`),
    }));
    try {
      const how = await copyAtOnce(pending);
      for (const { partial, to } of pending) {
        await syncFile(partial);
        await rename(partial, to);
      }
      for (const folder of new Set(pending.map(({ to }) => dirname(to)))) await syncFolder(folder);
      return how;
    } finally {
      for (const { partial } of pending) await rm(partial, { force: true });
    }
  }

  async function copyAtOnce(
    parts: readonly { readonly from: string; readonly partial: string; readonly volume: Volume | undefined }[],
  ): Promise<'shared' | 'copied'> {
    const cuts = await Promise.all(parts.map(async ({ volume }) => (volume === undefined ? undefined : cutOf(volume))));
    const mountPoints = cuts.flatMap((one) => (one?.kind === 'freeze' ? [one.mountPoint] : []));
    const live = cuts.findIndex((one) => one?.kind === 'live');
    // Two clones are not of one instant, however fast each is, when somebody writes meanwhile.
    const canShare = live === -1 || parts.length === 1;
    return holding(mountPoints, async () => {
      if (canShare && (await shareAll(parts))) return 'shared';
      const [part, state] = [parts[live], cuts[live]];
      if (part !== undefined && state?.kind === 'live') {
        throw rpcError(
          'FailedPrecondition',
          `volume ${part.volume?.id ?? ''} cannot be copied at one instant: ${state.reason}, and ` +
            `${canShare ? 'the file system of the pool does not clone files (xfs and btrfs do)' : 'several volumes are asked for at once'}; detach it first`,
        );
      }
      for (const { from, partial } of parts) await copySparseFile(from, partial);
      return 'copied';
    });
  }

  return {
    async cut(parts) {
      // Two freezes of one file system are an error, so copies of one volume take turns; in one order, so that none waits in a ring.
      const ids = [...new Set(parts.flatMap(({ volume }) => volume?.id ?? []))].toSorted();
      const inTurn = ids.reduceRight<() => Promise<'shared' | 'copied'>>(
        (work, id) => () => freezing.run(id, work),
        () => cut(parts),
      );
      return withSpaceCode(inTurn);
    },
    async thaw(volumeId) {
      const loop = await devices.find(volumeId);
      if (loop === undefined) return;
      const held = (await devices.mountsOf(loop.device)).find((entry) => isFileSystemOn(entry, loop.device));
      if (held !== undefined) await thawAt(held.mountPoint);
    },
    async removeUnfinished(folder) {
      for (const name of await readdir(folder)) if (name.endsWith(unfinished)) await rm(join(folder, name));
    },
  };
}

async function shareAll(parts: readonly { readonly from: string; readonly partial: string }[]): Promise<boolean> {
  for (const { from, partial } of parts) if (!(await reflinkFile(from, partial))) return false;
  return true;
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
