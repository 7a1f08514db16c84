import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster, Maker, SidecarName } from '../rig/contract.ts';
import { startKubernetesCluster } from '../rig/kubernetes-cluster.ts';
import { startSandboxCluster } from '../rig/sandbox-cluster.ts';
import type { Case } from './case.ts';
import { attacherCases } from './cases/attacher.ts';
import { modifyCases } from './cases/modify.ts';
import { provisionerCases } from './cases/provisioner.ts';
import { resizerCases } from './cases/resizer.ts';
import { deliberate, judge } from './deliberate.ts';
import { docsDisagreements } from './deliberate-docs.ts';
import { compareProgramFlags } from './flags/programs.ts';
import { type Difference, recordingDifferences } from './observe/differences.ts';
import type { Options } from './options.ts';
import { type Played, playCases } from './play.ts';
import { applyAccounts, sidecarNames } from './sidecars.ts';

const docs = join(import.meta.dirname, '..', '..', 'docs', 'differences.md');
const cases: Readonly<Record<SidecarName, readonly Case[]>> = {
  provisioner: provisionerCases,
  attacher: attacherCases,
  resizer: [...resizerCases, ...modifyCases],
};
// The loops that the cases need. What attaches, schedules and watches nodes would take part in the play.
const controllers = [
  'persistentvolume-binder-controller',
  'persistentvolume-expander-controller',
  'persistentvolumeclaim-protection-controller',
  'persistentvolume-protection-controller',
  'serviceaccount-controller',
];
const ours: Readonly<Record<SidecarName, Maker>> = { provisioner: 'ours', attacher: 'ours', resizer: 'ours' };

interface Result {
  readonly title: string;
  readonly differences: readonly Difference[];
  /** Nothing could be compared. */
  readonly failure?: string;
}

/** @returns the exit code */
export async function runSwap(options: Options, signal: AbortSignal): Promise<number> {
  const results: Result[] = options.only.map((name) => ({
    title: `flags of csi-${name}`,
    differences: compareProgramFlags(name),
  }));
  const chosen = options.only
    .flatMap((name) => cases[name])
    .filter(({ name, isShort }) => name.includes(options.named) && (!options.isShort || isShort === true));
  const began = performance.now();
  const cluster =
    options.cluster === 'sandbox'
      ? await startSandboxCluster({ signal })
      : await startKubernetesCluster({ signal, controllers });
  try {
    console.log(`── cluster is up after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    await applyAccounts(cluster);
    results.push(...(await compareCases(cluster, chosen, options, signal)));
  } finally {
    await cluster.stop();
  }
  const isWhole =
    !options.isShort &&
    options.named === '' &&
    options.cluster === 'kubernetes' &&
    options.only.length === sidecarNames.length;
  return report(results, { isWhole });
}

async function compareCases(
  cluster: Cluster,
  chosen: readonly Case[],
  options: Options,
  signal: AbortSignal,
): Promise<Result[]> {
  const say = (line: string): void => console.log(line);
  if (chosen.length === 0) return [];
  console.log('── ours');
  const byOurs = await playCases({ cluster, cases: chosen, makers: ours, say, signal });
  const results: Result[] = [];
  for (const name of options.only) {
    const own = chosen.filter(({ about }) => about === name);
    if (own.length === 0) continue;
    console.log(`── the Go csi-${name} in place of ours`);
    const byTheirs = await playCases({ cluster, cases: own, makers: { ...ours, [name]: 'upstream' }, say, signal });
    for (const each of own) results.push(compareCase(each, byOurs, byTheirs, options.keep));
  }
  return results;
}

function compareCase({ name, about }: Case, byOurs: Played, byTheirs: Played, keep: string | undefined): Result {
  const title = `${about}: ${name}`;
  const [our, their] = [byOurs.get(name), byTheirs.get(name)];
  if (our === undefined || their === undefined) return { title, differences: [], failure: 'not played' };
  if (our.kind === 'failed') return { title, differences: [], failure: `ours: ${our.message}` };
  if (their.kind === 'failed') return { title, differences: [], failure: `theirs: ${their.message}` };
  const moments = [...our.moments].map(([moment, recording]) => ({
    moment,
    recording,
    other: their.moments.get(moment) ?? {},
  }));
  if (keep !== undefined) write(keep, title, moments);
  const differences = moments.flatMap(({ moment, recording, other }) =>
    recordingDifferences(`${title}/${moment}`, recording, other),
  );
  return { title, differences };
}

function write(folder: string, title: string, moments: readonly object[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${title.replaceAll(/[^\w]+/g, '-')}.json`), `${JSON.stringify(moments, undefined, 2)}\n`);
}

function report(results: readonly Result[], { isWhole }: { isWhole: boolean }): number {
  const judged = results.map((result) => ({ ...result, ...judge(result.differences) }));
  const failed = judged.filter(({ failure, unexplained }) => failure !== undefined || unexplained.length > 0);
  const explained = new Map<string, number>();
  for (const result of judged) {
    for (const [row, times] of result.explained) explained.set(row, (explained.get(row) ?? 0) + times);
  }
  console.log('\ndifferent on purpose, see docs/differences.md:');
  for (const [row, times] of explained) console.log(`    ${row}: ${times}`);

  for (const { title, failure, unexplained } of failed) {
    console.log(`FAILED ${title}`);
    if (failure !== undefined) console.log(`    ${failure.replaceAll('\n', '\n    ')}`);
    for (const { place, ours: our, theirs } of unexplained) {
      console.log(`    ${place}\n        ours:   ${our}\n        theirs: ${theirs}`);
    }
  }
  const table = [
    ...docsDisagreements(readFileSync(docs, 'utf8'), deliberate),
    ...(isWhole
      ? judge(judged.flatMap(({ differences }) => differences)).unused.map(
          ({ row, place }) => `nothing is different any more at ${String(place)} (row "${row}")`,
        )
      : []),
  ];
  if (table.length > 0) console.log('FAILED the table of deliberate differences');
  for (const line of table) console.log(`    ${line}`);
  const failures = failed.length + (table.length > 0 ? 1 : 0);
  console.log(`\n${results.length + 1 - failures} passed, ${failures} failed`);
  return failures === 0 ? 0 : 1;
}
