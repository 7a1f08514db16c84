import { persistentVolumeClaims, persistentVolumes } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import { afterEach, expect, it, vi } from 'vitest';
import { type Rig, startRig } from './testing/rig.ts';

const CLAIMS = 500;
/** Beyond the first try of each. */
const RETRIES = 1_000;
const WORKERS = 20;

/** Waits for what happens on its own; long enough for a machine under load. */
function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 60_000, interval: 50 });
}

let rig: Rig | undefined;
afterEach(async () => {
  await rig?.stop();
});

/** Claims `many-0` and so on, bound, and asking for more than they have. */
async function createClaims({ cluster: { client }, driver }: Rig): Promise<void> {
  const create = async (index: number): Promise<void> => {
    const ref = { name: `many-${index}`, namespace: 'default' };
    const common = { storageClassName: 'disk', accessModes: ['ReadWriteOnce'] };
    const claim = await client.create(persistentVolumeClaims, {
      metadata: ref,
      spec: { ...common, volumeName: ref.name, resources: { requests: { storage: '2Gi' } } },
    });
    await client.create(persistentVolumes, {
      metadata: { name: ref.name },
      spec: {
        ...common,
        capacity: { storage: '1Gi' },
        claimRef: { ...ref, uid: claim.metadata.uid },
        csi: { driver: driver.name, volumeHandle: ref.name },
      },
    });
    const body = { status: { phase: 'Bound', capacity: { storage: '1Gi' } } };
    await client.patch(persistentVolumeClaims, ref, { kind: 'merge', body }, { subresource: 'status' });
  };
  for (let from = 0; from < CLAIMS; from += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, index) => create(from + index)));
  }
}

it(`${CLAIMS} failing expansions are written about once each, however often they are tried`, async () => {
  rig = await startRig();
  await createClaims(rig);
  let calls = 0;
  const end = Promise.withResolvers<void>();
  rig.driver.on('ControllerExpandVolume', async () => {
    calls += 1;
    // Then nothing more is tried, so that what is queued gets written.
    if (calls > CLAIMS + RETRIES) await end.promise;
    throw rpcError('Internal', 'the array is on fire');
  });
  rig.cluster.requests.length = 0;
  await rig.start('--retry-interval-start=50ms', '--retry-interval-max=2s', `--workers=${WORKERS}`, '--timeout=10m');
  await eventually(() => expect(calls).toBeGreaterThan(CLAIMS + RETRIES));
  // One for each failure, and one for each call that is held back for over a second.
  const events = CLAIMS + WORKERS;
  await eventually(() => expect(rig?.writes().filter((write) => write.endsWith('events'))).toHaveLength(events));
  await rig.stopController();
  end.resolve();

  const counts = new Map<string, number>();
  for (const write of rig.writes()) counts.set(write, (counts.get(write) ?? 0) + 1);
  // That it is under way, and that it failed.
  expect(Object.fromEntries(counts)).toEqual({
    'patch persistentvolumeclaims/status': 2 * CLAIMS,
    'create events': events,
  });
}, 180_000);
