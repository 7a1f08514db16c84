import type { Subject } from './subject.ts';

/** One call as its caller would send it, once or again. */
export interface Call {
  readonly name: string;
  run(subject: Subject): Promise<unknown>;
  /** What must be true once it has succeeded. */
  readonly check?: () => Promise<void>;
  /** Nobody dies in it: the same call is looked into elsewhere. */
  readonly isPlain?: boolean;
}

/** A round of calls that ends where it began, played with a death at every point of each. */
export interface Act {
  readonly name: string;
  readonly backend: 'disk' | 'dir';
  readonly volumes: readonly string[];
  /** A file system of its own for the pool, which can share blocks between files. */
  readonly poolFsType?: 'xfs' | 'btrfs';
  /** Plain calls before the first round. */
  readonly before: readonly Call[];
  /** @param number of the round, from 1 */
  round(number: number): readonly Call[];
  /** Plain calls after the last round: nothing may be left then. */
  readonly after: readonly Call[];
}
