import { type Clock, errorMessage, type Logger, systemClock } from '@holdfast/core';
import { isConflict, isForbidden, isNotFound, type KubeClient, type Lease, leases } from '@holdfast/kube';
import { isNoteStored, type LeaseNotes, notedAnnotations, readNote } from './lease-notes.ts';
import { createStoreRequests } from './store-requests.ts';

export interface StandaloneNotesDeps {
  readonly client: KubeClient;
  readonly leaseName: string;
  readonly namespace: string;
  readonly log: Logger;
  readonly clock?: Clock;
}

export interface StandaloneNotes {
  readonly notes: LeaseNotes;
  /** Reads the lease, then works, and writes the lease when asked to, and at the end if need be. */
  run(work: (notes: LeaseNotes) => Promise<void>, signal: AbortSignal): Promise<void>;
}

const MAX_CONFLICTS = 5;
const READ_AGAIN_MS = 1_000;

/**
 * Lease notes of a program that runs without leader election: the same lease, held by nobody. Where the role grants no
 * leases nothing is noted, which is said once.
 */
export function createStandaloneNotes(deps: StandaloneNotesDeps): StandaloneNotes {
  const { client, log, clock = systemClock } = deps;
  const ref = { name: deps.leaseName, namespace: deps.namespace };
  const texts = new Map<string, () => string | undefined>();
  const requests = createStoreRequests();
  let lease: Lease | undefined;
  let isForbiddenToUs = false;
  let isDirty = false;

  async function read(): Promise<void> {
    try {
      lease = await client.get(leases, ref);
    } catch (error) {
      if (isForbidden(error)) giveUp();
      else if (!isNotFound(error)) throw error;
      lease = undefined;
    }
  }

  /** What was begun must be known before anything is begun anew. @returns false when the signal aborts first */
  async function readAtLast(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      try {
        await read();
        return true;
      } catch (error) {
        log.warn('Cannot read the lease, trying again', { lease: ref, error: errorMessage(error) });
        await clock.sleep(READ_AGAIN_MS, signal).catch(() => {});
      }
    }
    return false;
  }

  function giveUp(): void {
    isForbiddenToUs = true;
    log.warn(
      'Not allowed to get, create and update leases: what is begun is remembered in memory alone, and forgotten if this process is killed. Grant them as for leader election',
      { lease: `${ref.namespace}/${ref.name}` },
    );
  }

  async function put(): Promise<Lease> {
    const renewTime = lease?.spec?.renewTime ?? '';
    const annotations = notedAnnotations(lease, renewTime, texts);
    if (lease) return await client.replace(leases, ref, { ...lease, metadata: { ...lease.metadata, annotations } });
    const head = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
    return await client.create(leases, { ...head, metadata: { ...ref, annotations }, spec: {} });
  }

  async function write(): Promise<void> {
    for (let conflicts = 0; !isForbiddenToUs; ) {
      isDirty = false;
      try {
        lease = await put();
        return;
      } catch (error) {
        isDirty = true;
        if (isForbidden(error)) giveUp();
        else if (isNotFound(error) || (isConflict(error) && conflicts < MAX_CONFLICTS)) await read();
        else throw error;
        conflicts += 1;
      }
    }
  }

  /** Writes for those who wait, one write at a time, until the work is over. */
  async function serve(end: Promise<void>): Promise<void> {
    let isOver = false;
    const over = end.then(() => {
      isOver = true;
    });
    for (let isLast = false; !isLast; ) {
      await Promise.race([requests.asked(), over]);
      isLast = isOver;
      const settle = requests.take();
      try {
        if (!isLast || isDirty) await write();
        settle();
      } catch (error) {
        settle(error);
        if (isLast) log.warn('Cannot store the last notes on the lease', { lease: ref, error: errorMessage(error) });
      }
    }
  }

  const notes: LeaseNotes = {
    read: (key) => readNote(lease, key),
    keep: (key, text) => void texts.set(key, text),
    // Nobody renews this lease: a write for this alone would double what each lone note costs.
    touch() {
      isDirty = true;
    },
    async store(signal) {
      if (!isForbiddenToUs) await requests.ask(signal);
    },
    isStored: (key) => isForbiddenToUs || isNoteStored(lease, key, texts),
  };
  return {
    notes,
    async run(work, signal) {
      if (!(await readAtLast(signal))) return;
      const end = Promise.withResolvers<void>();
      const serving = serve(end.promise);
      try {
        await work(notes);
      } finally {
        end.resolve();
        await serving;
      }
    },
  };
}
