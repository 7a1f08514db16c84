import type { AcceptedDifference } from './accepted.ts';
import { type Difference, describe } from './compare.ts';

/** What came of it all: requests whose replies are equal but for accepted differences, and those that are not. */
export interface Ledger {
  /** Enters one request. @returns the differences that nobody accepted, as text */
  enter(where: string, differences: readonly Difference[]): readonly string[];
  readonly passed: number;
  readonly failed: number;
  /** Accepted differences that were met nowhere. */
  unused(): readonly AcceptedDifference[];
}

export function createLedger(accepted: readonly AcceptedDifference[]): Ledger {
  const used = new Set<AcceptedDifference>();
  let passed = 0;
  let failed = 0;
  return {
    enter(where, differences) {
      const open = differences.filter((difference) => {
        const place = `${where} / ${difference.path}`;
        const entries = accepted.filter((entry) => entry.where.test(place));
        for (const entry of entries) used.add(entry);
        return entries.length === 0;
      });
      if (open.length === 0) passed += 1;
      else failed += 1;
      return open.map(describe);
    },
    get passed() {
      return passed;
    },
    get failed() {
      return failed;
    },
    unused: () => accepted.filter((entry) => !used.has(entry)),
  };
}
