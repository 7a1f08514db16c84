import type { AcceptedDifference } from './accepted.ts';
import { type Difference, describe } from './compare.ts';

/** What came of it all: requests whose replies are equal but for accepted differences, and those that are not. */
export interface Ledger {
  /** The differences that nobody accepted. */
  open(where: string, differences: readonly Difference[]): readonly Difference[];
  /** Enters one request. @returns the differences that nobody accepted, as text */
  enter(where: string, differences: readonly Difference[]): readonly string[];
  /** Enters what was counted elsewhere. */
  add(counts: { passed: number; failed: number }): void;
  readonly passed: number;
  readonly failed: number;
  /** Accepted differences that were met nowhere. */
  unused(): readonly AcceptedDifference[];
}

export function createLedger(accepted: readonly AcceptedDifference[]): Ledger {
  const used = new Set<AcceptedDifference>();
  let passed = 0;
  let failed = 0;
  const openOf = (where: string, differences: readonly Difference[]): Difference[] =>
    differences.filter((difference) => {
      const place = `${where} / ${difference.path}`;
      const said = JSON.stringify(difference.sandbox) ?? 'nothing';
      const entries = accepted.filter(
        (entry) => entry.where.test(place) && (entry.sandbox === undefined || entry.sandbox.test(said)),
      );
      for (const entry of entries) used.add(entry);
      return entries.length === 0;
    });
  return {
    open: openOf,
    add(counts) {
      passed += counts.passed;
      failed += counts.failed;
    },
    enter(where, differences) {
      const open = openOf(where, differences);
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
