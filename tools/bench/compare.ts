import type { Maker } from '../rig/contract.ts';
import { isMoreBetter, type Measurement, type Unit } from './measurement.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** One figure, ours beside theirs. */
export interface Comparison {
  readonly section: string;
  readonly name: string;
  readonly unit: Unit;
  readonly ours: Spread | undefined;
  readonly theirs: Spread | undefined;
  /** Median of ours to median of theirs. Undefined where one is missing, or theirs is zero. */
  readonly ratio: number | undefined;
  readonly verdict: Verdict;
}

/** Where we stand, by the medians. `''` where there is nothing to compare with. */
export type Verdict = 'faster' | 'slower' | 'less' | 'more' | 'alike' | '';

/** So near to each other the medians of two runs of one program lie as well. */
const alikeWithin = 0.05;

/** In the order in which the figures were first taken. */
export function compare(measurements: readonly Measurement[]): readonly Comparison[] {
  const groups = Map.groupBy(measurements, ({ section, name, unit }) => JSON.stringify([section, name, unit]));
  const runs = new Map(
    measurements.map(({ section, maker, run }) => [JSON.stringify([section, maker, run]), { section, maker }]),
  );
  const runsOf = (section: string, maker: Maker): number =>
    [...runs.values()].filter((run) => run.section === section && run.maker === maker).length;

  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { section, name, unit } = first;
    const spread = (maker: Maker): Spread | undefined => {
      const values = group.filter((one) => one.maker === maker).map(({ value }) => value);
      // A kind of write that a run did not see was made no times.
      if (unit === 'per object') while (values.length < runsOf(section, maker)) values.push(0);
      return values.length === 0 ? undefined : spreadOf(values);
    };
    const ours = spread('ours');
    const theirs = spread('upstream');
    const hasBoth = ours !== undefined && theirs !== undefined;
    const ratio = hasBoth && theirs.median !== 0 ? ours.median / theirs.median : undefined;
    const verdict = hasBoth ? judge(unit, ours.median, theirs.median) : '';
    return [{ section, name, unit, ours, theirs, ratio, verdict }];
  });
}

function judge(unit: Unit, ours: number, theirs: number): Verdict {
  if (Math.abs(ours - theirs) <= alikeWithin * Math.max(Math.abs(ours), Math.abs(theirs))) return 'alike';
  const isMore = ours > theirs;
  if (isMoreBetter(unit)) return isMore ? 'faster' : 'slower';
  if (unit === 'ms') return isMore ? 'slower' : 'faster';
  return isMore ? 'more' : 'less';
}
