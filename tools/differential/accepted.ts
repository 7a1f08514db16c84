// Where the sandbox differs from kube-apiserver and is meant to. docs/sandbox-differences.md is made from this table, and an entry
// that no longer occurs is a failure: the difference is gone, and so must the entry be.

export interface AcceptedDifference {
  /** What differs, as a person would say it. */
  readonly what: string;
  readonly why: string;
  /** Where it is met: a pattern over `topic / script / METHOD path / place in the reply`. */
  readonly where: RegExp;
}

export const acceptedDifferences: readonly AcceptedDifference[] = [];
