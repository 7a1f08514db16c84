import { readFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { detachLoopDevice, listLoopDevices, mountsUnder, readMountInfo, unmountAll } from '@holdfast/mount';
import { RpcError } from '@holdfast/rpc';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DriverProcess, startDriver } from './testing/driver-process.ts';
import { leftoversOf } from './testing/leftovers.ts';
import { blockCapability, fromVolume, MiB, mountCapability, requestsFor, snapshotRequest } from './testing/requests.ts';
import { makeScratchFolder, removeScratchFolder } from './testing/served-backend.ts';

const VOLUMES = 50;
const CALLS_AT_ONCE = 200;
const ROUNDS = 5;
// None ends by it: a call that waits for another for ever does.
const options = { timeoutMs: 240_000 };

let dir: string;
let driver: DriverProcess;
beforeEach(async () => {
  dir = await makeScratchFolder();
});
afterEach(async () => {
  await driver.stop();
  for (const { mountPoint } of mountsUnder(await readMountInfo(), dir).toReversed()) await unmountAll(mountPoint);
  for (const { device, backingFile } of await listLoopDevices()) {
    if (backingFile.startsWith(dir)) await detachLoopDevice(device);
  }
  await removeScratchFolder(dir);
});

function volumeAt(index: number, backend: 'disk' | 'dir') {
  const capability = backend === 'disk' && index % 2 === 1 ? blockCapability() : mountCapability();
  return requestsFor({ name: `pvc-${index}`, capability, dir, sizeBytes: 4n * MiB });
}

const words = [
  'create',
  'attach',
  'stage',
  'publish',
  'stats',
  'expand',
  'snapshot',
  'clone',
  'list',
  'deleteSnapshot',
  'unpublish',
  'unstage',
  'detach',
  'remove',
] as const;
type Word = (typeof words)[number];

function callOf(word: Word, index: number, backend: 'disk' | 'dir'): Promise<unknown> {
  const { controller, node } = driver;
  const volume = volumeAt(index, backend);
  switch (word) {
    case 'create':
      return controller.createVolume(volume.create(), options);
    case 'attach':
      return controller.controllerPublishVolume(volume.attach(), options);
    case 'stage':
      return node.nodeStageVolume(volume.stage(), options);
    case 'publish':
      return node.nodePublishVolume(volume.publish(), options);
    case 'stats':
      return node.nodeGetVolumeStats(volume.stats(), options);
    case 'expand':
      return controller.controllerExpandVolume(volume.expand(5n * MiB), options);
    case 'snapshot':
      return controller.createSnapshot(snapshotRequest(`snap-${index}`, `pvc-${index}`), options);
    case 'clone':
      return controller.createVolume(
        volumeAt(index + VOLUMES, backend).create({ ...fromVolume(`pvc-${index}`), capacityRange: undefined }),
        options,
      );
    case 'list':
      return controller.listVolumes({ maxEntries: 10, startingToken: '' }, options);
    case 'deleteSnapshot':
      return controller.deleteSnapshot({ snapshotId: `snap-${index}`, secrets: {} }, options);
    case 'unpublish':
      return node.nodeUnpublishVolume(volume.unpublish(), options);
    case 'unstage':
      return node.nodeUnstageVolume(volume.unstage(), options);
    case 'detach':
      return controller.controllerUnpublishVolume(volume.detach(), options);
    case 'remove':
      return controller.deleteVolume(volume.remove(), options);
    default:
      return word satisfies never;
  }
}

/** The spec's answers to a call that comes in the wrong order, or while another one is at work on the volume. */
const answers = ['OK', 'Aborted', 'NotFound', 'FailedPrecondition', 'AlreadyExists', 'ResourceExhausted'];
/** dir has neither attach nor stage. */
const answersOf = (word: Word, backend: 'disk' | 'dir'): readonly string[] =>
  backend === 'dir' && ['attach', 'detach', 'stage', 'unstage'].includes(word) ? ['Unimplemented'] : answers;

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'OK';
  } catch (error) {
    if (error instanceof RpcError) return error.code;
    throw error;
  }
}

const calls = fc.array(fc.tuple(fc.constantFrom(...words), fc.nat({ max: VOLUMES - 1 })), {
  minLength: CALLS_AT_ONCE,
  maxLength: CALLS_AT_ONCE,
});

test.each(['disk', 'dir'] as const)(
  '%s: 200 calls at once on 50 volumes, in any order, again and again: none waits for ever, each has an answer of the spec, and all comes down',
  { timeout: 900_000 },
  async (backend) => {
    const file = join(dir, 'delay.json');
    driver = await startDriver(dir, [`--backend=${backend}`], {
      NODE_OPTIONS: `--import=${join(import.meta.dirname, 'testing', 'event-loop-delay.ts')}`,
      EVENT_LOOP_DELAY_FILE: file,
    });
    // Half of the volumes are in use when it begins.
    const up: Word[] = backend === 'disk' ? ['create', 'attach', 'stage', 'publish'] : ['create', 'publish'];
    for (const word of up) {
      const half = Array.from({ length: VOLUMES / 2 }, (_, index) => codeOf(callOf(word, index, backend)));
      expect([...new Set(await Promise.all(half))]).toEqual(['OK']);
    }
    driver.signal('SIGUSR2');
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(calls, async (mixed) => {
        const codes = await Promise.all(
          mixed.map(async ([word, index]) => ({ word, index, code: await codeOf(callOf(word, index, backend)) })),
        );
        for (const { code } of codes) seen.set(code, (seen.get(code) ?? 0) + 1);
        const wrong = codes.filter(({ word, code }) => !answersOf(word, backend).includes(code));
        expect(wrong).toEqual([]);
      }),
      // Each round goes on from where the last one ended, so a smaller one would be another.
      { numRuns: ROUNDS, endOnFailure: true },
    );
    const down: Word[] =
      backend === 'disk'
        ? ['unpublish', 'unstage', 'detach', 'remove', 'deleteSnapshot']
        : ['unpublish', 'remove', 'deleteSnapshot'];
    for (const word of down) {
      const all = Array.from({ length: 2 * VOLUMES }, (_, index) => codeOf(callOf(word, index, backend)));
      expect([...new Set(await Promise.all(all))]).toEqual(['OK']);
    }
    expect(await leftoversOf(dir)).toEqual([]);
    expect(await driver.stop()).toBe(0);
    const delay = JSON.parse(await readFile(file, 'utf8'));
    process.stdout.write(
      `${backend}: ${ROUNDS} x ${CALLS_AT_ONCE} calls, ${[...seen].map(([code, count]) => `${count} ${code}`).join(', ')}; ` +
        `event loop kept for ${delay.p50} ms (p50), ${delay.p99} ms (p99), ${delay.max} ms (most), by its own work for ${delay.work} ms at most; ` +
        `load ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} cores\n`,
    );
  },
);
