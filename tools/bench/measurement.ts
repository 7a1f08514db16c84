import type { Maker } from '../rig/contract.ts';

export const units = ['objects/s', 'events/s', 'ms', 's', 'KiB', 'per object'] as const;
export type Unit = (typeof units)[number];

/** One figure of one run. */
export interface Measurement {
  readonly section: string;
  readonly name: string;
  readonly unit: Unit;
  readonly maker: Maker;
  /** From 1 on. */
  readonly run: number;
  readonly value: number;
}

export type Figure = Pick<Measurement, 'section' | 'name' | 'unit' | 'value'>;

/** Takes a figure down for the maker and the run that are measured. */
export type Record = (figure: Figure) => void;

/** Of rates more is better; of all else, less. */
export function isMoreBetter(unit: Unit): boolean {
  return unit === 'objects/s' || unit === 'events/s';
}
