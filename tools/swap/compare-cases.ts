// Each case before our sidecar and before the Go one, the other sidecars being ours in one round and the Go ones in the other.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Cluster, Maker, SidecarName } from '../rig/contract.ts';
import type { Case } from './case.ts';
import { recordingDifferences } from './observe/differences.ts';
import type { Recording } from './observe/recording.ts';
import type { Options } from './options.ts';
import { type Played, playCases } from './play.ts';
import type { Result } from './report.ts';

interface Round {
  /** Who wrote the sidecars that the case is not about. */
  readonly company: Maker;
  readonly cases: readonly Case[];
  readonly cluster: Cluster;
  readonly options: Options;
  readonly signal: AbortSignal;
}

const company: Readonly<Record<Maker, Readonly<Record<SidecarName, Maker>>>> = {
  ours: { provisioner: 'ours', attacher: 'ours', resizer: 'ours' },
  upstream: { provisioner: 'upstream', attacher: 'upstream', resizer: 'upstream' },
};
const other: Readonly<Record<Maker, Maker>> = { ours: 'upstream', upstream: 'ours' };

export async function compareCases(round: Round): Promise<Result[]> {
  const { cases, options } = round;
  const results: Result[] = [];
  if (cases.length === 0) return results;
  // Where none is swapped, all three are of one maker, and one run serves every case.
  const together = await play(round, cases, company[round.company]);
  for (const name of options.only) {
    const own = cases.filter(({ about }) => about === name);
    if (own.length === 0) continue;
    const swapped = await play(round, own, { ...company[round.company], [name]: other[round.company] });
    const byMaker =
      round.company === 'ours' ? { ours: together, upstream: swapped } : { ours: swapped, upstream: together };
    for (const each of own) results.push(compareCase(each, byMaker, round));
  }
  return results;
}

function play(
  { cluster, signal }: Round,
  cases: readonly Case[],
  makers: Readonly<Record<SidecarName, Maker>>,
): Promise<Played> {
  const words = Object.entries(makers).map(([name, maker]) => `${name} ${maker === 'ours' ? 'ours' : 'in Go'}`);
  console.log(`── ${words.join(', ')}`);
  return playCases({ cluster, cases, makers, say: (line) => console.log(line), signal });
}

function compareCase(
  { name, about, costs = {} }: Case,
  { ours, upstream }: Readonly<Record<Maker, Played>>,
  { company: beside, options }: Round,
): Result {
  const title = `${about}${beside === 'ours' ? '' : ' beside the Go ones'}: ${name}`;
  const [our, their] = [ours.get(name), upstream.get(name)];
  if (our === undefined || their === undefined) return { title, differences: [], failure: 'not played' };
  if (our.kind === 'failed') return { title, differences: [], failure: `ours: ${our.message}` };
  if (their.kind === 'failed') return { title, differences: [], failure: `theirs: ${their.message}` };
  const moments = [...our.moments].map(([moment, recording]): Moment => {
    return { moment, ours: recording, theirs: their.moments.get(moment) ?? {} };
  });
  if (options.keep !== undefined) keep(options.keep, title, moments);
  const differences = moments.flatMap((each) =>
    recordingDifferences(`${title}/${each.moment}`, each.ours, each.theirs),
  );
  // Beside the Go provisioner the attacher has a finalizer to write.
  const wrong = beside === 'ours' ? wrongCosts(moments, costs) : [];
  return { title, differences, ...(wrong.length === 0 ? {} : { failure: wrong.join('\n') }) };
}

interface Moment {
  readonly moment: string;
  readonly ours: Recording;
  readonly theirs: Recording;
}

function wrongCosts(moments: readonly Moment[], costs: NonNullable<Case['costs']>): string[] {
  return moments.flatMap(({ moment, ours }) => {
    const wanted = costs[moment];
    if (wanted === undefined || isDeepStrictEqual(wanted, ours.writes)) return [];
    return [`${moment}: ours writes ${JSON.stringify(ours.writes)}, which should be ${JSON.stringify(wanted)}`];
  });
}

function keep(folder: string, title: string, moments: readonly Moment[]): void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${title.replaceAll(/[^\w]+/g, '-')}.json`);
  writeFileSync(file, `${JSON.stringify(moments, undefined, 2)}\n`);
}
