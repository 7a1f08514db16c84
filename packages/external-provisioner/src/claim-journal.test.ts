import { type LeaseNotes, openFence } from '@holdfast/control';
import { createRecordingLogger } from '@holdfast/core/testing';
import { leases, persistentVolumeClaims } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createClaimJournal, JournalFullError } from './claim-journal.ts';
import { CREATING_NOTE } from './names.ts';
import { planVolume } from './plan.ts';
import { claimOf, classOf, noTopology, rules, traits } from './testing/objects.ts';
import { type Rig, startRig } from './testing/rig.ts';

async function eventually(check: () => Promise<void> | void): Promise<void> {
  await vi.waitFor(check, { timeout: 15_000, interval: 10 });
}

describe('a provisioner that is stopped during CreateVolume, and whose claim goes meanwhile', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await startRig({ loops: true });
    await rig.createClass({ parameters: { tier: 'gold' } });
    const called = Promise.withResolvers<void>();
    // The driver makes the volume, and nobody hears of it.
    const back = rig.driver.around(async ({ method }, proceed) => {
      const reply = await proceed();
      if (method !== 'CreateVolume') return reply;
      called.resolve();
      throw rpcError('DeadlineExceeded', 'too slow');
    });
    await rig.start('--retry-interval-start=1h', '--retry-interval-max=1h');
    await rig.createClaim('data');
    await called.promise;
    await rig.stopController();
    back();
    await rig.cluster.client.delete(persistentVolumeClaims, { name: 'data', namespace: 'default' });
    await eventually(async () => expect(await rig.claim('data')).toBeUndefined());
    // A class of the same name with other parameters must not lead astray.
    await rig.createClass({ parameters: { tier: 'silver' } });
    expect(rig.driver.volumes.size).toBe(1);
  });
  afterEach(() => rig.stop());

  it('leaves no volume behind once there is a provisioner again, which repeats the same call', async () => {
    await rig.start();
    await eventually(() => expect(rig.driver.volumes.size).toBe(0));
    await eventually(async () => expect(await rig.volumes()).toEqual([]));
    const [first, second, ...more] = rig.driver.callsOf('CreateVolume').map(({ request }) => request);
    expect(second).toEqual(first);
    expect(more).toEqual([]);
    await rig.stopController();
    const [lease] = (await rig.cluster.client.list(leases)).items;
    expect(lease?.metadata.annotations?.[CREATING_NOTE]).toBeUndefined();
  });

  it('touches nothing when somebody who keeps no notes has held the lease since, and says what to look for', async () => {
    const ref = { name: 'provisioner', namespace: 'default' };
    const body = { spec: { renewTime: '2030-01-01T00:00:00.000000Z' } };
    await rig.cluster.client.patch(leases, ref, { kind: 'merge', body });
    await rig.start();
    await rig.createClaim('next');
    await eventually(async () => expect((await rig.claim('next'))?.status?.phase).toBe('Bound'));
    expect(rig.driver.callsOf('CreateVolume')).toHaveLength(2);
    expect(rig.log.lines.map(({ message }) => message).join('\n')).toContain('when another program took the lease');
  });
});

describe('the journal', () => {
  function planOf(uid: string) {
    const storageClass = classOf({
      parameters: { blob: Array.from({ length: 900 }, () => crypto.randomUUID()).join() },
    });
    const deps = { storageClass, attributesClass: undefined, source: undefined, driver: traits, rules };
    const result = planVolume({ ...deps, claim: claimOf({}, { uid }), cluster: noTopology });
    if (result.kind !== 'planned') throw new Error(`no plan: ${result.kind}`);
    return result.plan;
  }

  /** Notes that are kept in memory, and count how often they were stored. */
  function memoryNotes() {
    let source: () => string | undefined = () => undefined;
    const counts = { stores: 0 };
    let stored: string | undefined;
    const notes: LeaseNotes = {
      read: () => undefined,
      keep: (_, text) => {
        source = text;
      },
      touch() {},
      async store() {
        counts.stores += 1;
        stored = source();
      },
      isStored: () => stored === source(),
    };
    return { notes, counts };
  }

  it('takes no more than fits, and goes on when there is room', async () => {
    const { notes } = memoryNotes();
    const journal = createClaimJournal({ notes, fence: openFence, log: createRecordingLogger() });
    journal.takeOver();
    const { signal } = new AbortController();
    let count = 0;
    const begin = async () => {
      for (; count < 1000; count += 1) await journal.begin(planOf(`uid-${count}`), signal);
    };
    await expect(begin()).rejects.toThrow(JournalFullError);
    expect(count).toBeGreaterThan(2);
    journal.settle('uid-0');
    await journal.begin(planOf('late'), signal);
  });

  it('stores what was settled before a volume is let go, and only then', async () => {
    const { notes, counts } = memoryNotes();
    const journal = createClaimJournal({ notes, fence: openFence, log: createRecordingLogger() });
    journal.takeOver();
    const { signal } = new AbortController();
    await journal.begin(planOf('a'), signal);
    await journal.begin(planOf('a'), signal);
    expect(counts.stores).toBe(1);
    journal.settle('a');
    expect(counts.stores).toBe(1);
    await journal.settled('a', signal);
    await journal.settled('a', signal);
    await journal.settled('other', signal);
    expect(counts.stores).toBe(2);
  });
});
