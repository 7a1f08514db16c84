import { type Fence, type LeaseNotes, MAX_ANNOTATION_BYTES } from '@holdfast/control';
import type { Logger } from '@holdfast/core';
import { CREATING_NOTE } from './names.ts';
import { createOpenPlans } from './open-plans.ts';
import type { VolumePlan } from './plan.ts';
import { decodePlans, RecordError } from './recorded-plans.ts';

/**
 * The claims for which the driver may have made a volume that no PersistentVolume names yet, kept on the lease. Should this
 * process be killed and the claim be deleted before the next one looks, that is all that is left to find the volume by
 * (kubernetes-csi/external-provisioner#486).
 */
export interface ClaimJournal {
  /** What the last holder of the lease left undone. Asked once, at the start. */
  takeOver(): { readonly plans: readonly VolumePlan[]; readonly isCurrent: boolean };
  /** Resolves when it is stored that the driver is about to be asked. @throws JournalFullError */
  begin(plan: VolumePlan, signal: AbortSignal): Promise<void>;
  /** The volume has its PersistentVolume, or there is none: the entry goes with the lease's next write. */
  settle(claimUid: string): void;
  /**
   * Resolves when nothing is stored of a claim any more. To wait for before its volume is let go: an entry left behind would
   * have the next process ask for it once more, and delete what somebody has kept.
   */
  settled(claimUid: string, signal: AbortSignal): Promise<void>;
}

export class JournalFullError extends Error {
  override readonly name = 'JournalFullError';
}

// Other annotations need room too.
const MAX_TEXT_LENGTH = MAX_ANNOTATION_BYTES - 32 * 1024;

/** @param deps.notes undefined where nothing can be kept; then all is in memory, as with the Go sidecar */
export function createClaimJournal(deps: { notes: LeaseNotes | undefined; fence: Fence; log: Logger }): ClaimJournal {
  const { notes, fence, log } = deps;
  if (!notes) return forgetfulJournal;
  const open = createOpenPlans(MAX_TEXT_LENGTH);
  const stored = new Set<string>();
  // Settled, and maybe on the lease still.
  const settling = new Set<string>();

  /** What was settled before the write began is off the lease after it. */
  async function store(signal: AbortSignal): Promise<void> {
    const before = [...settling];
    await notes?.store(signal);
    for (const uid of before) settling.delete(uid);
  }

  return {
    takeOver() {
      const note = notes.read(CREATING_NOTE);
      notes.keep(CREATING_NOTE, open.text);
      if (note === undefined) return { plans: [], isCurrent: true };
      try {
        const plans = decodePlans(note.text);
        for (const plan of note.isCurrent ? plans : []) {
          open.add(plan);
          stored.add(plan.claim.metadata.uid);
        }
        if (!note.isCurrent) notes.touch();
        return { plans, isCurrent: note.isCurrent };
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        log.error(
          'The lease says what volumes were being created, and it cannot be read; look for volumes in the driver that no PersistentVolume names',
          {
            annotation: CREATING_NOTE,
            error: error.message,
          },
        );
        return { plans: [], isCurrent: true };
      }
    },
    async begin(plan, signal) {
      const { uid } = plan.claim.metadata;
      if (stored.has(uid)) return;
      fence.check();
      open.add(plan);
      if (open.isTooLong()) {
        open.remove(uid);
        throw new JournalFullError(
          `the driver has not yet said what became of ${open.count()} volumes, and no more can be kept in mind; waiting for it`,
        );
      }
      try {
        await store(signal);
      } catch (error) {
        // Whether it is on the lease is not known, but nothing was asked of the driver.
        open.remove(uid);
        throw error;
      }
      stored.add(uid);
    },
    settle(uid) {
      stored.delete(uid);
      if (!open.remove(uid)) return;
      settling.add(uid);
      notes.touch();
    },
    async settled(uid, signal) {
      if (!settling.has(uid)) return;
      fence.check();
      if (notes.isStored(CREATING_NOTE)) settling.delete(uid);
      else await store(signal);
    },
  };
}

const forgetfulJournal: ClaimJournal = {
  takeOver: () => ({ plans: [], isCurrent: true }),
  begin: async () => undefined,
  settle: () => undefined,
  settled: async () => undefined,
};
