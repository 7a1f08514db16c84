// What a round of scenarios left in its folder: the captured moments, and vitest's word on each scenario.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { CapturedMoment } from '../../scenarios/capture.ts';
import { reportFileName } from '../../scenarios/capture-folder.ts';
import type { PlayedScenario, PlayedScenarios } from './compare-captures.ts';

const report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string().optional(),
      status: z.string(),
      assertionResults: z.array(
        z.object({
          title: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

export interface RoundRead {
  readonly scenarios: PlayedScenarios;
  /** What is wrong beyond single scenarios. */
  readonly problems: readonly string[];
}

export function readRound(folder: string): RoundRead {
  const file = join(folder, reportFileName);
  if (!existsSync(file)) return { scenarios: new Map(), problems: ['the scenarios did not get to their end'] };
  const { testResults } = report.parse(JSON.parse(readFileSync(file, 'utf8')));
  const moments = readMoments(folder);
  const scenarios = new Map<string, PlayedScenario>();
  const problems: string[] = [];
  for (const { name, message = '', status, assertionResults } of testResults) {
    for (const { title, status: word, failureMessages } of assertionResults) {
      if (word === 'passed') scenarios.set(title, { kind: 'passed', moments: moments.get(title) ?? [] });
      else if (word === 'failed') scenarios.set(title, { kind: 'failed', message: failureMessages?.join('\n') ?? '' });
      else scenarios.set(title, { kind: 'skipped' });
    }
    // A rig that does not start, or leaves something behind.
    const isExplained = assertionResults.some(({ status: word }) => word === 'failed');
    if (status === 'failed' && !isExplained) problems.push(`${name}: ${message}`);
  }
  return { scenarios, problems };
}

/** By scenario, in the order in which they were captured. */
function readMoments(folder: string): Map<string, CapturedMoment[]> {
  const moments = new Map<string, CapturedMoment[]>();
  for (const file of globSync('*/*/*.json', { cwd: folder }).toSorted()) {
    const captured: CapturedMoment = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    moments.set(captured.scenario, [...(moments.get(captured.scenario) ?? []), captured]);
  }
  return moments;
}
