import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRecordingLogger } from '@holdfast/core/testing';
import { takeFileLock } from '@holdfast/mount';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startDriver } from '../testing/driver-process.ts';
import { MiB, mountCapability, options, requestsFor } from '../testing/requests.ts';
import { createControllerTurn } from './controller-turn.ts';

let pool: string;
beforeEach(async () => {
  pool = await mkdtemp(join(tmpdir(), 'hf-turn-'));
});
afterEach(async () => {
  await rm(pool, { recursive: true, force: true });
});

function controller(events: string[], name: string, times: { lingerMs?: number; waitMs?: number } = {}) {
  const log = createRecordingLogger();
  const recover = async (): Promise<void> => void events.push(`${name} recovers`);
  return { log, ...createControllerTurn({ pool, recover, log, lingerMs: 0, ...times }) };
}

describe('two controllers on one pool', () => {
  it('work one after the other, and each first makes good what the other may have left', async () => {
    const events: string[] = [];
    const a = controller(events, 'a');
    const b = controller(events, 'b');
    const leaveA = await a.enter();
    events.push('a works');
    const entered = b.enter();
    events.push('a ends');
    leaveA();
    const leaveB = await entered;
    events.push('b works');
    leaveB();
    (await a.enter())();
    expect(events).toEqual(['a recovers', 'a works', 'a ends', 'b recovers', 'b works', 'a recovers']);
  });

  it('that is alone recovers once, however many turns it takes', async () => {
    const events: string[] = [];
    const a = controller(events, 'a');
    for (let turn = 0; turn < 3; turn++) {
      const leaves = await Promise.all([a.enter(), a.enter()]);
      for (const leave of leaves) leave();
      // With the lock of its own turn given back, not only left.
      (await takeFileLock(join(pool, 'controller.lock'), 5_000))?.release();
    }
    expect(events).toEqual(['a recovers']);
  });

  it('the other stands by, and a call that waited too long is told', async () => {
    const events: string[] = [];
    const a = controller(events, 'a');
    const b = controller(events, 'b', { waitMs: 50 });
    const leave = await a.enter();
    await b.begin();
    expect(b.log.lines.map(({ message }) => message)).toEqual([
      'Another controller works on this pool; this one stands by',
    ]);
    await expect(b.enter()).rejects.toMatchObject({
      code: 'Unavailable',
      message: expect.stringContaining('another controller of the pool'),
    });
    expect(events).toEqual(['a recovers']);
    leave();
  });

  it('a turn whose recovery failed was none', async () => {
    let fails = true;
    const turn = createControllerTurn({
      pool,
      log: createRecordingLogger(),
      lingerMs: 0,
      recover: () => (fails ? Promise.reject(new Error('the disk is away')) : Promise.resolve()),
    });
    await expect(turn.enter()).rejects.toThrow('the disk is away');
    fails = false;
    (await turn.enter())();
  });
});

it('a driver that is killed leaves the pool to the next at once', async () => {
  const args = ['--backend=dir', `--pool-dir=${join(pool, 'pool')}`];
  const volume = requestsFor({ name: 'one', capability: mountCapability(), dir: pool, sizeBytes: MiB });
  const first = await startDriver(join(pool, 'a'), args);
  await first.controller.createVolume(volume.create(), options);
  const second = await startDriver(join(pool, 'b'), args);
  await first.kill();
  const { entries } = await second.controller.listVolumes({ maxEntries: 0, startingToken: '' }, options);
  expect(entries).toHaveLength(1);
  expect(await second.stop()).toBe(0);
});
