import type { CrashAttempt } from '@holdfast/sandbox/testing';

/** What is asked of a process of the pool, about the scenario of a name. */
export type Task = { readonly scenario: string } & (
  | { readonly kind: 'calls' }
  | { readonly kind: 'attempt'; readonly attempt: CrashAttempt }
);

export type Asked = Task & { readonly id: number };

export interface Answered {
  readonly id: number;
  /** The calls, or what did not hold. */
  readonly lines: readonly string[];
  readonly error?: string;
}
