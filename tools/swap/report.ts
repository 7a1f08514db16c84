import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deliberate, judge } from './deliberate.ts';
import { docsDisagreements } from './deliberate-docs.ts';
import type { Difference } from './observe/differences.ts';

const docs = join(import.meta.dirname, '..', '..', 'docs', 'differences.md');

export interface Result {
  readonly title: string;
  readonly differences: readonly Difference[];
  /** What is wrong beyond the differences. */
  readonly failure?: string;
}

/** @returns the exit code */
export function report(results: readonly Result[], { isWhole }: { isWhole: boolean }): number {
  const judged = results.map((result) => ({ ...result, ...judge(result.differences) }));
  const explained = new Map<string, number>();
  for (const result of judged) {
    for (const [row, times] of result.explained) explained.set(row, (explained.get(row) ?? 0) + times);
  }
  console.log('\ndifferent on purpose, see docs/differences.md:');
  for (const [row, times] of explained) console.log(`    ${row}: ${times}`);

  const failed = judged.filter(({ failure, unexplained }) => failure !== undefined || unexplained.length > 0);
  for (const { title, failure, unexplained } of failed) {
    console.log(`FAILED ${title}`);
    if (failure !== undefined) console.log(`    ${failure.replaceAll('\n', '\n    ')}`);
    for (const { place, ours, theirs } of unexplained) {
      console.log(`    ${place}\n        ours:   ${ours}\n        theirs: ${theirs}`);
    }
  }
  const wrong = tableProblems(results, isWhole);
  if (wrong.length > 0) console.log('FAILED the table of deliberate differences');
  for (const line of wrong) console.log(`    ${line}`);
  const failures = failed.length + (wrong.length > 0 ? 1 : 0);
  console.log(`\n${results.length + 1 - failures} passed, ${failures} failed`);
  return failures === 0 ? 0 : 1;
}

/** Only a whole run can tell that an entry explains nothing any more. */
function tableProblems(results: readonly Result[], isWhole: boolean): string[] {
  const { unused } = judge(results.flatMap(({ differences }) => differences));
  return [
    ...docsDisagreements(readFileSync(docs, 'utf8'), deliberate),
    ...(isWhole ? unused : []).map(
      ({ row, place }) => `nothing is different any more at ${String(place)} (row "${row}")`,
    ),
  ];
}
