export interface Ledger {
  /** One check: without a problem it passed. */
  count(what: string, problem: string | undefined): void;
  /** "N passed, N failed". */
  summary(): string;
  hasFailed(): boolean;
}

export function createLedger(say: (line: string) => void): Ledger {
  let passed = 0;
  let failed = 0;
  return {
    count(what, problem) {
      if (problem === undefined) {
        passed++;
        say(`  ok ${what}`);
        return;
      }
      failed++;
      say(`  FAILED ${what}: ${problem.trim()}`);
    },
    summary: () => `${passed} passed, ${failed} failed`,
    hasFailed: () => failed > 0,
  };
}
